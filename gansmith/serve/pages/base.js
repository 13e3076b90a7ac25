// What all pages share: making elements, asking the server, words, results.
import { zh } from "./words.js";

export const state = { lang: "en", server: { studio: false } };

/** The text in the language that is shown; {name} stands for a value. */
export function t(text, values = {}) {
  const said = (state.lang === "zh" && zh[text]) || text;
  return said.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** An element: h("a", { href: "/", onclick: f, class: "x" }, "text", other). Text is never parsed as HTML. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked" || key === "disabled" || key === "hidden") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Appends what there is; what is null is left out. */
export const into = (element, ...children) => element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export class Problem extends Error {}

async function checked(answer) {
  if (answer.ok) return answer;
  let detail = `${answer.status} ${answer.statusText}`;
  try { detail = (await answer.json()).detail || detail; } catch { /* no problem document */ }
  const wait = answer.headers.get("retry-after");
  throw new Problem(wait ? `${detail} (${t("again in {n} s", { n: wait })})` : detail);
}

async function fetched(path, how) {
  try { return await fetch(path, how); } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(t("The server does not answer: is it still running?"));
  }
}

export const get = async (path) => (await checked(await fetched(`/api/v1${path}`))).json();
export const post = async (path, body) => (await raw(path, body)).json();
export async function raw(path, body, method = "POST") {
  const form = body instanceof FormData;
  const how = { method, body: form ? body : JSON.stringify(body ?? {}), headers: form ? {} : { "Content-Type": "application/json" } };
  return checked(await fetched(`/api/v1${path}`, how));
}
export const remove = async (path) => (await checked(await fetched(`/api/v1${path}`, { method: "DELETE" }))).json();

/** Follows a job to its end; `show` is told its state. Resolves with the job when it is done. */
export function follow(job, show) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(`/api/v1/jobs/${job.id}/events`);
    source.addEventListener("job", (event) => {
      const now = JSON.parse(event.data);
      show(now);
      if (now.state === "done") { source.close(); resolve(now); }
      if (now.state === "failed" || now.state === "cancelled") { source.close(); reject(new Problem(now.detail)); }
    });
    source.onerror = () => { source.close(); reject(new Problem(t("The server does not answer: is it still running?"))); };
  });
}

/** Runs work behind a button: place in the queue, progress and a button to cancel in `status`, problems in words. */
export async function busy(button, status, work) {
  button.disabled = true;
  status.replaceChildren(h("p", { class: "note" }, t("Working ...")));
  let job = null;
  const show = (now) => {
    job = now;
    const words = now.state === "queued" ? t("Waiting: {n} before it", { n: now.place }) : t("Working ...");
    status.replaceChildren(
      h("div", { class: "row" },
        h("progress", { max: 1, value: now.progress, "aria-label": words }), h("span", { class: "note" }, words),
        h("button", { type: "button", onclick: () => remove(`/jobs/${job.id}`).catch(() => {}) }, t("Cancel"))));
  };
  try {
    const result = await work(show);
    status.replaceChildren();
    return result;
  } catch (error) {
    if (!(error instanceof Problem)) console.error(error);
    status.replaceChildren(problem(error));
    return null;
  } finally { button.disabled = false; }
}

export const problem = (error) => h("p", { class: "problem", role: "alert" }, String(error.message || error));
export const status = () => h("div", { role: "status", "aria-live": "polite" });

/** The command line that does the same, to copy. */
export function command(text) {
  const copy = h("button", { type: "button" }, t("Copy"));
  copy.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(text); copy.textContent = t("Copied"); } catch { copy.textContent = t("Select and copy"); }
    setTimeout(() => { copy.textContent = t("Copy"); }, 1500);
  });
  return h("div", { class: "command" }, h("pre", { tabindex: 0, "aria-label": t("The command line that does the same") }, h("code", {}, text)), copy);
}

let numbers = 0;
/** A labelled field. */
export function field(label, input, about = "") {
  input.id ||= `f${(numbers += 1)}`;
  const note = about ? h("small", { id: `${input.id}-about` }, about) : null;
  if (note) input.setAttribute("aria-describedby", note.id);
  if (input.type === "checkbox") return h("div", { class: "field check" }, input, h("label", { for: input.id }, label), note);
  if (input.type !== "range") return h("div", { class: "field" }, h("label", { for: input.id }, label), input, note);
  const shown = h("output", { for: input.id }, input.value);
  input.addEventListener("input", () => { shown.textContent = input.value; });
  input.sync = () => { shown.textContent = input.value; };
  return h("div", { class: "field" }, h("label", { for: input.id }, label, " ", shown), input, note);
}
export const choice = (values, chosen, empty) =>
  h("select", {}, empty !== undefined ? h("option", { value: "" }, empty) : null,
    values.map((value) => h("option", { value: Array.isArray(value) ? value[0] : value, selected: String(Array.isArray(value) ? value[0] : value) === String(chosen) }, Array.isArray(value) ? value[1] : value)));

/** The query string as an object, and back into the address, so that a page is found again by its URL. */
export const query = () => Object.fromEntries(new URLSearchParams(location.search));
export function remember(values) {
  const kept = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(kept).toString();
  history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
}

export const round = (value, digits = 3) => value === null || value === undefined || !Number.isFinite(Number(value)) ? "–" : Number(Number(value).toPrecision(digits)).toLocaleString(state.lang === "zh" ? "zh-CN" : "en-US", { maximumSignificantDigits: digits });

/** A fact sheet. */
export const facts = (pairs) => h("dl", { class: "facts" }, Object.entries(pairs).filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));

/** A file of a result as what shows or plays it. */
export function medium(file, alt) {
  const kind = file.type.split("/")[0];
  if (kind === "image") {
    const image = h("img", { src: file.url, alt });
    image.addEventListener("load", () => image.classList.toggle("small", image.naturalWidth < 300));
    return image;
  }
  if (kind === "audio" && file.type !== "audio/midi") return h("audio", { src: file.url, controls: true, "aria-label": alt });
  if (kind === "video") return h("video", { src: file.url, controls: true, loop: true, muted: true, "aria-label": alt });
  if (file.type === "text/plain") {
    const pre = h("pre", { tabindex: 0, role: "group", "aria-label": alt });
    fetch(file.url).then((answer) => answer.text()).then((text) => { pre.textContent = text.slice(0, 20000); });
    return pre;
  }
  return h("a", { class: "button", href: `${file.url}?download=true`, download: file.called || file.name }, file.called || file.name);
}

/** How far a score is from its baseline (0) to its ceiling (1), as the verdict measures it. */
export function share(score) {
  let { value, baseline, ceiling } = score;
  if (![value, baseline, ceiling].every((number) => typeof number === "number" && Number.isFinite(number))) return null;
  if (!(score.better === "higher" ? ceiling > baseline : ceiling < baseline)) return null;
  if (score.better === "lower" && ceiling > 0 && baseline >= 4 * ceiling) [value, baseline, ceiling] = [Math.max(value, ceiling), baseline, ceiling].map(Math.log);
  return Math.min(1, Math.max(0, (value - baseline) / (ceiling - baseline)));
}
export function bars(scores) {
  const last = new Map();
  for (const score of scores) if (share(score) !== null) last.set(score.name, score);
  if (!last.size) return null;
  return h("div", { class: "bars" }, [...last.values()].slice(-5).map((score) => {
    const part = share(score), words = `${score.name}: ${round(score.value)} (${t("baseline")} ${round(score.baseline)}, ${t("ceiling")} ${round(score.ceiling)})`;
    return [h("span", {}, score.name), svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img", "aria-label": words }, svg("line", { class: "track", x1: 0, x2: 100, y1: 5, y2: 5 }), svg("rect", { class: "value", x: 0, y: 2, width: 100 * part, height: 6 })), h("span", {}, round(score.value))];
  }));
}

/** Curves over one axis: { name: [[x, y], ...] }. */
export function chart(title, series) {
  const names = Object.keys(series), points = names.flatMap((name) => series[name]).filter(([, y]) => Number.isFinite(y));
  if (!points.length) return null;
  const [W, H, L, B] = [360, 170, 44, 18];
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y).sort((a, b) => a - b);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let y0 = ys[0], y1 = ys[ys.length - 1];
  const cut = ys[Math.floor(0.98 * (ys.length - 1))]; // a first spike must not flatten the rest
  if (y1 > 4 * Math.abs(cut) + 1e-9 && cut > y0) y1 = 1.3 * cut;
  if (y1 === y0) { y1 += 1; y0 -= 1; }
  const px = (x) => L + ((W - L) * (x - x0)) / (x1 - x0 || 1), py = (y) => (H - B) * (1 - (Math.min(Math.max(y, y0), y1) - y0) / (y1 - y0)) + 6;
  const drawn = svg("svg", { viewBox: `0 0 ${W} ${H + 6}`, role: "img", "aria-label": `${title}: ${names.map((name) => `${name} ${round(series[name].at(-1)?.[1])}`).join(", ")}` });
  for (const y of [y0, (y0 + y1) / 2, y1]) {
    drawn.append(svg("line", { class: "axis", x1: L, x2: W, y1: py(y), y2: py(y) }), svg("text", { x: L - 6, y: py(y) + 4, "text-anchor": "end" }, round(y)));
  }
  drawn.append(svg("text", { x: L, y: H + 4 }, round(x0)), svg("text", { x: W, y: H + 4, "text-anchor": "end" }, round(x1)));
  names.forEach((name, i) => {
    const kept = series[name].filter(([, y]) => Number.isFinite(y)), step = Math.max(1, Math.floor(kept.length / 600));
    const path = kept.filter((_, place) => place % step === 0 || place === kept.length - 1).map(([x, y], place) => `${place ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join("");
    drawn.append(svg("path", { class: `c${i % 6}`, d: kept.length === 1 ? `${path}h.01` : path }));
  });
  return h("figure", { class: "chart" }, h("figcaption", {}, title), drawn, h("ul", { class: "legend" }, names.map((name, i) => h("li", { class: `c${i % 6}` }, h("span", {}, name)))));
}

/** Ends what a page has going on (streams, timers) when another one is opened. */
const ends = [];
export const atEnd = (work) => { ends.push(work); };
export const leave = () => { while (ends.length) ends.pop()(); };

/** A slider for an attribute, with a box that leaves it as in the data; `input.value` is empty then. */
function slid(one, now, changed) {
  const step = (one.high - one.low) / 100, middle = (one.low + one.high) / 2;
  const range = h("input", { type: "range", min: one.low, max: one.high, step, value: now === "" ? middle : now }), any = h("input", { type: "checkbox", checked: now === "" });
  const input = { get value() { return any.checked ? "" : String(Number(Number(range.value).toPrecision(4))); } };
  const shown = h("output", {}, ""), tell = () => { shown.textContent = any.checked ? t("as in the data") : round(range.value); };
  range.id = `f${(numbers += 1)}`;
  any.id = `${range.id}-any`;
  range.addEventListener("input", () => { any.checked = false; tell(); });
  range.addEventListener("change", changed);
  any.addEventListener("change", () => { tell(); changed(); });
  tell();
  return { input, field: h("div", { class: "field" }, h("label", { for: range.id }, one.name, " ", shown), range, h("div", { class: "any" }, any, h("label", { for: any.id }, t("as in the data")))) };
}

/** Hands a file to the visitor. */
export function hand(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 30000);
}

/** Fields for what may be asked for under `where`; returns the fields and a function that reads them. */
export function conditionFields(conditions, given, changed) {
  const reads = [], fields = [];
  for (const one of conditions) {
    const now = given[`w.${one.name}`] ?? "";
    let input;
    if (one.choices) input = choice(one.choices, now, t("as in the data"));
    else if (typeof one.low === "number" && typeof one.high === "number" && one.low < one.high && !one.compares) {
      const slider = slid(one, now, changed);
      fields.push(slider.field);
      reads.push([one.name, slider.input]);
      continue;
    }
    else if (one.compares) input = h("input", { type: "text", value: now, placeholder: `>${round((Number(one.low) + Number(one.high)) / 2 || one.low)}` });
    else input = h("input", { type: "text", value: now, placeholder: one.whole ? String(one.whole) : "" });
    input.addEventListener("change", changed);
    fields.push(field(one.name, input, one.compares ? t("{low} to {high}; also >, <, & ", { low: one.low, high: one.high }) : ""));
    reads.push([one.name, input]);
  }
  return { fields, where: () => Object.fromEntries(reads.filter(([, input]) => input.value !== "").map(([name, input]) => [name, input.value])) };
}

/** Fields for options that the server describes; returns the fields and a function that reads those that were changed. */
export function optionFields(options, given = {}) {
  const reads = [], fields = [];
  for (const one of options) {
    if (one.form === "conditions") continue;
    const now = given[one.name] ?? one.default;
    let input;
    if (one.form === "flag" || typeof one.default === "boolean") input = h("input", { type: "checkbox", checked: now === true || now === "true" });
    else if (one.form === "choice") input = choice(one.choices, now);
    else if (one.form === "whole" || one.form === "number") input = h("input", { type: "number", step: one.form === "whole" ? 1 : "any", min: one.low ?? undefined, max: one.high ?? undefined, value: now ?? "" });
    else input = h("input", { type: "text", value: now ?? "" });
    fields.push(field(one.name.replaceAll("_", " "), input, one.about));
    reads.push([one, input]);
  }
  const read = () => Object.fromEntries(reads.flatMap(([one, input]) => {
    const value = input.type === "checkbox" ? input.checked : input.type === "number" ? (input.value === "" ? null : Number(input.value)) : input.value;
    return value === (one.default ?? (input.type === "checkbox" ? false : input.type === "number" ? null : "")) || value === null || value === "" ? [] : [[one.name, value]];
  }));
  return { fields, read };
}
