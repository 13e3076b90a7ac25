// Pure functions of the pages. Run by `node --test`; nothing needs to be installed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { round, share, state, t } from "../../../gansmith/serve/pages/base.js";
import { expanded } from "../../../gansmith/serve/pages/model.js";
import { zh } from "../../../gansmith/serve/pages/words.js";
import { normal, wav } from "../../../gansmith/export/_web/page.js";

test("seeds are expanded as the command line has them", () => {
  assert.deepEqual(expanded("1-3, 9"), [1, 2, 3, 9]);
  assert.deepEqual(expanded("7"), [7]);
});

test("numbers are rounded to digits that matter", () => {
  assert.equal(round(1234.5678), "1,230");
  assert.equal(round(0.00012345), "0.000123");
  assert.equal(round(null), "–");
  assert.equal(round(Infinity), "–");
});

test("a score lies between its baseline, 0, and its ceiling, 1", () => {
  assert.equal(share({ value: 0.5, baseline: 0, ceiling: 1, better: "higher" }), 0.5);
  assert.equal(share({ value: 9, baseline: 2, ceiling: 1, better: "lower" }), 0);
  assert.equal(share({ value: 10, baseline: 100, ceiling: 1, better: "lower" }), 0.5, "in logarithms where they are far apart");
  assert.equal(share({ value: 1, baseline: 1, ceiling: 2, better: "lower" }), null);
});

test("sentences are translated and filled in, and their gaps are the same in both languages", () => {
  assert.equal(t("{n} samples", { n: 3 }), "3 samples");
  state.lang = "zh";
  assert.equal(t("{n} samples", { n: 3 }), "3 个样本");
  state.lang = "en";
  const gaps = (text) => [...text.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort().join();
  for (const [own, other] of Object.entries(zh)) assert.equal(gaps(own), gaps(other), own);
});

test("normal numbers of a seed are those of torch.Generator().manual_seed(seed)", () => {
  const close = (a, b) => a.forEach((value, place) => assert.ok(Math.abs(value - b[place]) < 1e-6, `${value} ${b[place]}`));
  close([...normal(1, 4)], [0.6613522, 0.2669241, 0.0616773, 0.6213173]);
  close([...normal(2, 20)].slice(16), [-0.7395676, -1.242452, -0.1752461, 0.698961]);
});

test("a wave becomes a WAV file of 16 bits", () => {
  const bytes = wav(new Float32Array([0, 1, -1, 2]), 16000);
  assert.equal(bytes.byteLength, 52);
  assert.equal(bytes.getUint32(24, true), 16000);
  assert.deepEqual([0, 1, 2, 3].map((place) => bytes.getInt16(44 + 2 * place, true)), [0, 32767, -32767, 32767]);
});
