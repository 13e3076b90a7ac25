// Generates with a network in the browser. Seeds are those of `gansmith generate --seeds`: the same Mersenne Twister, the same normal numbers.

/** The Mersenne Twister of torch.Generator().manual_seed(seed). */
export class Twister {
  constructor(seed) {
    this.words = new Uint32Array(624);
    this.words[0] = Number(BigInt(seed) & 0xffffffffn);
    for (let i = 1; i < 624; i += 1) {
      const before = this.words[i - 1] ^ (this.words[i - 1] >>> 30);
      this.words[i] = Math.imul(before, 1812433253) + i;
    }
    this.at = 624;
  }

  next() {
    if (this.at === 624) {
      const w = this.words;
      for (let i = 0; i < 624; i += 1) {
        const y = (w[i] & 0x80000000) | (w[(i + 1) % 624] & 0x7fffffff);
        w[i] = w[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.at = 0;
    }
    let y = this.words[this.at];
    this.at += 1;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  single() { return (this.next() & 0xffffff) / 2 ** 24; }

  double() { const high = BigInt(this.next()), low = BigInt(this.next()); return Number(((high << 32n) | low) & ((1n << 53n) - 1n)) / 2 ** 53; }
}

/** torch.randn(n) of a new generator with this seed, as torch fills a tensor on the CPU. */
export function normal(seed, n) {
  const random = new Twister(seed), out = new Float32Array(n);
  if (n < 16) { // one after another, in pairs
    for (let i = 0; i < n; i += 2) {
      const angle = 2 * Math.PI * random.double(), radius = Math.sqrt(-2 * Math.log1p(-random.double()));
      out[i] = radius * Math.cos(angle);
      if (i + 1 < n) out[i + 1] = radius * Math.sin(angle);
    }
    return out;
  }
  const sixteen = (start) => {
    for (let j = start; j < start + 8; j += 1) {
      const radius = Math.sqrt(-2 * Math.log(1 - out[j])), angle = 2 * Math.PI * out[j + 8];
      out[j] = radius * Math.cos(angle);
      out[j + 8] = radius * Math.sin(angle);
    }
  };
  for (let i = 0; i < n; i += 1) out[i] = random.single();
  for (let i = 0; i + 16 <= n; i += 16) sixteen(i);
  if (n % 16) {
    for (let i = n - 16; i < n; i += 1) out[i] = random.single();
    sixteen(n - 16);
  }
  return out;
}

export const numbers = (text) => new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
export const furthest = (a, b) => a.reduce((most, value, place) => Math.max(most, Math.abs(value - b[place])), 0);

/** A wave as the bytes of a WAV file of 16 bits. */
export function wav(wave, rate) {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * wave.length)), letters = (at, text) => [...text].forEach((letter, place) => bytes.setUint8(at + place, letter.charCodeAt(0)));
  letters(0, "RIFF"); bytes.setUint32(4, 36 + 2 * wave.length, true); letters(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, rate, 4], [28, 2 * rate, 4], [32, 2, 2], [34, 16, 2]].forEach(([at, value, wide]) => (wide === 4 ? bytes.setUint32(at, value, true) : bytes.setUint16(at, value, true)));
  letters(36, "data"); bytes.setUint32(40, 2 * wave.length, true);
  wave.forEach((value, place) => bytes.setInt16(44 + 2 * place, Math.round(32767 * Math.min(1, Math.max(-1, value))), true));
  return bytes;
}

async function runtime() {
  for (const place of ["./ort/", "./node_modules/onnxruntime-web/dist/"]) {
    const answer = await fetch(`${place}ort.wasm.min.mjs`, { method: "HEAD" }).catch(() => null);
    if (!answer?.ok) continue;
    const ort = await import(`${place}ort.wasm.min.mjs`);
    ort.env.wasm.wasmPaths = new URL(place, location.href).href;
    ort.env.wasm.numThreads = 1;
    return ort;
  }
  throw new Error("onnxruntime-web is missing: run npm install onnxruntime-web in this folder, or copy its three files into ort/.");
}

const element = (name, attributes = {}, ...children) => { const made = document.createElement(name); Object.assign(made, attributes); made.append(...children); return made; };

async function start() {
  const said = document.getElementById("said"), facts = await (await fetch("facts.json")).json();
  document.title = `${facts.name}: gansmith`;
  document.getElementById("title").textContent = facts.name;
  document.getElementById("about").textContent = `Made by ${facts.gan} while you watch.${facts.seeds ? " The seeds are those of gansmith generate --seeds." : ""}`;
  said.textContent = "Loading the network ...";
  const ort = await runtime(), session = await ort.InferenceSession.create("model.onnx");
  const size = facts.shape.reduce((a, b) => a * b, 1);

  async function run(noise, labels) {
    const n = noise.length / facts.noise, feeds = { noise: new ort.Tensor("float32", noise, [n, facts.noise]) };
    if (facts.labelled) feeds.label = facts.classes.length ? new ort.Tensor("int64", BigInt64Array.from(labels.map(BigInt)), [n]) : new ort.Tensor("float32", Float32Array.from(labels.flat()), [n, facts.attributes.length]);
    return (await session.run(feeds))[facts.output].data;
  }

  const check = facts.check;
  if (check) {
    const noise = new Float32Array(check.seeds.length * facts.noise);
    check.seeds.forEach((seed, place) => noise.set(normal(seed, facts.noise), place * facts.noise));
    const made = await run(noise, check.label ?? []);
    const [ofNoise, ofOutput] = [furthest(noise, numbers(check.noise)), furthest(made, numbers(check.output))];
    window.gansmith = { noise: ofNoise, output: ofOutput, run, normal, facts };
    said.textContent = ofNoise < 1e-4 && ofOutput < 1e-4 ? `Equal to Python to ${Math.max(ofOutput, 1e-9).toExponential(0)}.` : `This browser differs from Python by ${ofOutput.toExponential(1)}.`;
  } else { window.gansmith = { run, normal, facts }; said.textContent = ""; }

  const form = document.getElementById("form"), labelled = (text, input) => element("label", {}, text, input);
  const seeds = element("input", { type: "text", value: "1-12", pattern: "[0-9, \\-]+" }), truncation = element("input", { type: "range", min: 0, max: 1.5, step: 0.05, value: 1 });
  const classes = element("select", {}, ...facts.classes.map((name, place) => element("option", { value: place }, name)));
  const sliders = facts.attributes.map((one) => [one, element("input", { type: "range", min: -1, max: 1, step: 0.02, value: 0 })]);
  form.append(labelled("Seeds", seeds));
  if (facts.classes.length) form.append(labelled("Class", classes));
  for (const [one, input] of sliders) form.append(labelled(`${one.name} (${one.low} to ${one.high})`, input));
  if (facts.truncates) form.append(labelled("Truncation", truncation));
  form.append(element("button", { type: "submit" }, "Generate"));
  const label = (n) => Array.from({ length: n }, () => (facts.classes.length ? Number(classes.value) : sliders.map(([, input]) => Number(input.value))));
  const scaled = (noise) => (facts.truncates ? noise.map((value) => value * Number(truncation.value)) : noise);

  function draw(values, canvas) {
    const pen = canvas.getContext("2d");
    if (facts.shows === "points") {
      const side = (canvas.width = canvas.height = 960), [low, high] = [facts.low, facts.high];
      pen.fillStyle = "#fff"; pen.fillRect(0, 0, side, side); pen.fillStyle = "#1f5db8"; pen.globalAlpha = 0.5;
      for (let i = 0; i < values.length; i += facts.shape[0]) {
        const [x, y] = [0, 1].map((axis) => (values[i + axis] * facts.scale[axis] + facts.centre[axis] - low[axis]) / (high[axis] - low[axis]));
        pen.beginPath(); pen.arc(x * side, (1 - y) * side, 4, 0, 2 * Math.PI); pen.fill();
      }
      return;
    }
    if (facts.shows === "sounds") {
      const width = (canvas.width = 480), height = (canvas.height = 96), step = values.length / width;
      pen.fillStyle = "#1f5db8";
      for (let x = 0; x < width; x += 1) {
        let [low, high] = [1, -1];
        for (let i = Math.floor(x * step); i < Math.max((x + 1) * step, Math.floor(x * step) + 1); i += 1) { low = Math.min(low, values[i]); high = Math.max(high, values[i]); }
        pen.fillRect(x, (1 - high) * height / 2, 1, Math.max(1, (high - low) * height / 2));
      }
      return;
    }
    const [channels, height, width] = facts.shape.slice(-3), image = new ImageData(width, height), plane = width * height;
    for (let i = 0; i < plane; i += 1) {
      for (let channel = 0; channel < 4; channel += 1) {
        const from = channel === 3 ? (channels === 4 || channels === 2 ? channels - 1 : -1) : channels >= 3 ? channel : 0;
        image.data[4 * i + channel] = from < 0 ? 255 : Math.round(127.5 * (values[from * plane + i] + 1));
      }
    }
    canvas.width = width; canvas.height = height;
    pen.putImageData(image, 0, 0);
  }

  const list = (text) => text.split(",").flatMap((part) => { const [low, high] = part.trim().split("-").map(Number); return Array.from({ length: Math.min(200, (high ?? low) - low + 1) }, (_, place) => low + place); }).slice(0, 200);
  const urls = [];
  let film = 0;
  async function make() {
    const made = document.getElementById("made");
    if (facts.shows === "points") {
      const canvas = element("canvas", { className: "plane" });
      draw(await run(scaled(normal(list(seeds.value)[0], 1000 * facts.noise)), label(1000)), canvas);
      made.replaceChildren(element("figure", {}, canvas, element("figcaption", {}, `1,000 points of seed ${list(seeds.value)[0]}`)));
      return;
    }
    const every = list(seeds.value), noise = new Float32Array(every.length * facts.noise);
    every.forEach((seed, place) => noise.set(scaled(normal(seed, facts.noise)), place * facts.noise));
    const values = await run(noise, label(every.length));
    for (const url of urls.splice(0)) URL.revokeObjectURL(url);
    clearInterval(film);
    const films = [];
    made.replaceChildren(...every.map((seed, place) => {
      const canvas = element("canvas"), own = values.slice(place * size, (place + 1) * size), heard = [];
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `Seed ${seed}`);
      if (facts.shows === "clips") films.push([own, canvas]); else draw(own, canvas);
      if (facts.shows === "sounds") {
        urls.push(URL.createObjectURL(new Blob([wav(own, facts.rate)], { type: "audio/wav" })));
        const player = element("audio", { controls: true, src: urls.at(-1) });
        player.setAttribute("aria-label", `Seed ${seed}`);
        heard.push(player);
      }
      return element("figure", {}, canvas, ...heard, element("figcaption", {}, String(seed)));
    }));
    if (films.length) {
      const frames = facts.shape[0], frame = size / frames;
      let now = 0;
      const show = () => { for (const [own, canvas] of films) draw(own.subarray(now * frame, (now + 1) * frame), canvas); now = (now + 1) % frames; };
      show();
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) film = setInterval(show, 1000 / facts.rate);
    }
  }
  form.addEventListener("submit", (event) => { event.preventDefault(); make(); });
  form.addEventListener("input", (event) => { if (event.target.type !== "text") make(); });
  await make();

  if (facts.shows === "pictures") {
    const walk = document.getElementById("walk"), [first, second, share] = [["number", 1], ["number", 2], ["range", 0]].map(([type, value]) => element("input", { type, value, min: 0, ...(type === "range" ? { max: 1, step: 0.01 } : {}) })), canvas = element("canvas", { className: "large" });
    const move = async () => {
      const [a, b] = [first, second].map((input) => normal(Number(input.value) || 0, facts.noise)), length = (v) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0)), t = Number(share.value);
      const angle = Math.acos(Math.min(1, Math.max(-1, a.reduce((sum, x, i) => sum + x * b[i], 0) / (length(a) * length(b))))), reach = length(a) + t * (length(b) - length(a));
      const mixed = Math.sin(angle) < 1e-4 ? a : a.map((x, i) => (reach * ((Math.sin((1 - t) * angle) * x) / length(a) + (Math.sin(t * angle) * b[i]) / length(b))) / Math.sin(angle));
      draw(await run(scaled(mixed), label(1)), canvas);
    };
    walk.append(element("div", { className: "fields" }, labelled("From seed", first), labelled("To seed", second), labelled("Where between", share)), canvas);
    for (const input of [first, second, share, classes]) input.addEventListener("input", move);
    walk.hidden = false;
    await move();
  }
  document.body.dataset.ready = "true";
}

if (typeof document !== "undefined") start().catch((error) => { document.getElementById("said").textContent = error.message; });
