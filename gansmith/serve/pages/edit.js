// Exploring a model of images, and translating with models of pairs and domains.
import { busy, choice, command, conditionFields, field, follow, get, h, into, medium, optionFields, post, problem, query, raw, remember, round, status, t } from "./base.js";
import { tabs } from "./model.js";

/** One tool: a form, what it answers, and the command line. */
function tool(title, about, fields, work) {
  const said = status(), result = h("div", { class: "result" }), line = h("div", {}), button = h("button", { class: "main", type: "submit" }, t("Make"));
  return h("section", {}, h("h2", {}, title), h("p", { class: "lead" }, about), h("form", { onsubmit: async (event) => {
    event.preventDefault();
    const answer = await busy(button, said, async (show) => follow(await work(), show));
    if (!answer) return;
    const files = answer.result.files;
    result.replaceChildren(...files.map((file) => h("figure", {}, medium(file, title), h("figcaption", {}, h("a", { href: `${file.url}?download=true`, download: file.name }, file.name.replace(/^[\w-]{20,}/, title))))));
    const found = answer.result.facts?.likeness;
    if (found) result.append(h("p", { class: "note" }, t("{psnr} dB; the nearest of 256 random pictures has {start} dB.", { psnr: round(found.psnr), start: round(answer.result.facts.likeness_of_start.psnr) })));
    line.replaceChildren(command(answer.command));
  } }, h("div", { class: "form" }, fields), button), said, result, line);
}

export async function explore(page, name) {
  const about = await get(`/models/${name}`), given = query();
  const seeds = h("input", { type: "text", pattern: "[0-9, \\-]+", value: given.seeds ?? "1-4", required: true });
  const truncation = h("input", { type: "range", min: 0, max: 1.5, step: 0.05, value: given.truncation ?? 1 });
  const kept = () => remember({ ...Object.fromEntries(Object.entries(query()).filter(([key]) => !key.startsWith("w."))), seeds: seeds.value, truncation: truncation.value === "1" ? "" : truncation.value, ...Object.fromEntries(Object.entries(asked.where()).map(([key, value]) => [`w.${key}`, value])) });
  const asked = conditionFields(about.conditions, given, kept);
  seeds.addEventListener("change", kept);
  truncation.addEventListener("change", kept);
  const all = () => ({ seeds: seeds.value, truncation: Number(truncation.value), where: asked.where(), job: true });
  into(page, h("h1", {}, name), tabs(name, about, "explore"), h("div", { class: "form" }, field(t("Seeds"), seeds, t("such as 1-4 or 3,7,9")), asked.fields, field(t("Truncation"), truncation)));

  const frames = h("input", { type: "number", min: 2, max: 600, value: 48 }), path = choice([["spherical", t("along the sphere")], ["linear", t("straight")]], "spherical");
  into(page, tool(t("Walk"), t("A film that passes through the seeds and back to the first."), [field(t("Frames"), frames), field(t("Path"), path)], () => post(`/models/${name}/interpolate`, { ...all(), frames: Number(frames.value), path: path.value })));

  into(page, steered(name, given, asked));

  const count = h("input", { type: "range", min: 1, max: 16, value: 6 }), reach = h("input", { type: "range", min: 0.5, max: 8, step: 0.5, value: 3 }), by = choice([["sefa", "SeFa"], ["ganspace", "GANSpace"]], "sefa");
  into(page, tool(t("Directions"), t("Along each row the first seed changes in one direction of the latent space."), [field(t("How many"), count), field(t("How far, in deviations"), reach), field(t("Found by"), by)], () => post(`/models/${name}/directions`, { ...all(), count: Number(count.value), reach: Number(reach.value), by: by.value })));

  const vary = about.conditions.filter((one) => !one.choices && typeof one.low === "number").map((one) => one.name), attribute = choice(vary, "", t("every class"));
  into(page, tool(t("Grid"), t("The same seeds under every class, or along an attribute."), vary.length ? [field(t("Vary"), attribute)] : [], () => post(`/models/${name}/grid`, { ...all(), vary: attribute.value || null })));

  const coarse = h("input", { type: "text", pattern: "[0-9, \\-]+", value: "101-104" });
  into(page, tool(t("Mix styles"), t("Rows give the first layers, the seeds above the others; for models with a style for each layer."), [field(t("Seeds of the rows"), coarse)], () => post(`/models/${name}/mix`, { ...all(), rows: coarse.value })));

  const picture = h("input", { type: "file", accept: "image/*", required: true }), steps = h("input", { type: "range", min: 20, max: 1000, step: 20, value: 200 });
  into(page, tool(t("Project a picture"), t("The place of a real picture in the latent space: real, found, and the nearest of 256 random ones."), [field(t("Picture"), picture), field(t("Steps"), steps)], () => {
    const form = new FormData();
    form.append("file", picture.files[0], picture.files[0].name);
    form.append("steps", steps.value);
    form.append("where", JSON.stringify(asked.where()));
    form.append("job", "true");
    return post(`/models/${name}/project`, form);
  }));
}

/** One picture under the visitor's hands: a slider for each of the strongest directions. */
function steered(name, given, asked) {
  const seed = h("input", { type: "number", min: 0, value: given.steer ?? 1 }), by = choice([["sefa", "SeFa"], ["ganspace", "GANSpace"]], given.by ?? "sefa");
  const sliders = Array.from({ length: 6 }, (_, place) => h("input", { type: "range", min: -6, max: 6, step: 0.25, value: (given.amounts ?? "").split(",")[place] || 0 }));
  const picture = h("img", { class: "small", alt: t("The steered picture") }), said = status(), line = h("div", {});
  let busyNow = false, again = false;
  const draw = async () => {
    if (busyNow) { again = true; return; }
    busyNow = true;
    const amounts = sliders.map((one) => Number(one.value));
    remember({ ...query(), steer: seed.value, by: by.value === "sefa" ? "" : by.value, amounts: amounts.some(Boolean) ? amounts.join(",") : "" });
    try {
      const answer = await raw(`/models/${name}/steer`, { seed: Number(seed.value) || 0, by: by.value, amounts, where: asked.where() });
      if (picture.src) URL.revokeObjectURL(picture.src);
      picture.src = URL.createObjectURL(await answer.blob());
      line.replaceChildren(command(answer.headers.get("x-gansmith-command")));
      said.replaceChildren();
    } catch (error) { said.replaceChildren(problem(error)); }
    busyNow = false;
    if (again) { again = false; draw(); }
  };
  for (const one of [seed, by, ...sliders]) one.addEventListener("input", draw);
  const reset = h("button", { type: "button", onclick: () => { for (const one of sliders) { one.value = 0; one.sync?.(); } draw(); } }, t("All back"));
  const section = h("section", {}, h("h2", {}, t("Steer")), h("p", { class: "lead" }, t("One picture, and a slider for each of the directions along which pictures change most.")),
    h("div", { class: "steer" }, h("div", { class: "result" }, picture), h("div", {}, h("div", { class: "form" }, field(t("Seed"), seed), field(t("Found by"), by)), h("div", { class: "form" }, sliders.map((one, place) => field(t("Direction {n}", { n: place + 1 }), one))), reset)), said, line);
  draw();
  return section;
}

export async function translate(page, name) {
  const about = await get(`/models/${name}`), known = about.translates, given = query();
  const file = h("input", { type: "file", required: true }), said = status(), result = h("div", { class: "result" }), line = h("div", {}), brush = h("div", {});
  const options = optionFields(known.options, given), button = h("button", { class: "main", type: "submit" }, t("Translate"));
  const companions = known.files.map((one) => [one, h("input", { type: "file" })]); // a mask too: a brush needs a pointer
  const masks = known.files.some((one) => one.name === "masks");
  let painted = null, before = null, url = null;
  file.addEventListener("change", () => {
    if (url) URL.revokeObjectURL(url);
    const [one] = file.files;
    url = one ? URL.createObjectURL(one) : null;
    before = one && one.type.startsWith("image/") ? url : null;
    painted = null;
    brush.replaceChildren();
    if (masks && before) painted = canvas(brush, before);
    else if (one && /^(image|audio|video)\//.test(one.type) && one.type !== "audio/midi") brush.replaceChildren(h("figure", { class: "given" }, medium({ url, type: one.type, name: one.name }, t("What is given")), h("figcaption", {}, t("What is given"))));
  });
  into(page, h("h1", {}, name), tabs(name, about, "translate"), h("form", { onsubmit: async (event) => {
    event.preventDefault();
    const form = new FormData(), changed = options.read();
    remember(changed);
    form.append("file", file.files[0], file.files[0].name);
    form.append("options", JSON.stringify(changed));
    form.append("job", "true");
    for (const [one, input] of companions) if (input.files[0]) form.append(one.name, input.files[0], input.files[0].name);
    const mask = !form.has("masks") && painted && (await painted());
    if (mask) form.append("masks", mask, "mask.png");
    const answer = await busy(button, said, async (show) => follow(await post(`/models/${name}/translate`, form), show));
    if (!answer) return;
    const made = answer.result.files;
    result.replaceChildren(...made.map((one) => h("figure", {}, before && one.type.startsWith("image/") && one.type !== "image/gif" && !one.name.endsWith(".webp") ? compared(before, one.url) : medium(one, t("Result")), h("figcaption", {}, h("a", { href: `${one.url}?download=true`, download: one.name }, t("Save"))))));
    line.replaceChildren(command(answer.command));
  } }, h("div", { class: "form" }, field(t("File"), file), companions.map(([one, input]) => field(one.name.replaceAll("_", " "), input, one.about))), brush,
    known.options.length ? h("details", {}, h("summary", {}, t("Options")), h("div", { class: "form" }, options.fields)) : null, h("div", { class: "row" }, button)), said, result, h("h2", {}, t("On the command line")), line);
  line.append(command(`gansmith translate ${about.run} INPUT`));
}

/** Before and after under one slider. */
function compared(before, after) {
  const over = h("img", { src: after, alt: t("After") }), cover = h("div", { class: "after" }, over), edge = h("div", { class: "edge" });
  const range = h("input", { type: "range", min: 0, max: 100, value: 50 });
  const move = () => { cover.style.clipPath = `inset(0 0 0 ${range.value}%)`; edge.style.left = `${range.value}%`; };
  range.addEventListener("input", move);
  const frame = h("div", { class: "compare" }, h("img", { src: before, alt: t("Before") }), cover, edge);
  const drag = (event) => { if (event.buttons) { const box = frame.getBoundingClientRect(); range.value = (100 * (event.clientX - box.left)) / box.width; range.sync?.(); move(); } };
  frame.addEventListener("pointermove", drag);
  frame.addEventListener("pointerdown", drag);
  move();
  return h("div", {}, frame, field(t("Before and after"), range));
}

/** A brush over a picture; answers the mask as a PNG, or null if nothing was painted. */
function canvas(place, url) {
  const picture = h("img", { src: url, alt: t("The picture to be filled in") }), mask = h("canvas", { "aria-label": t("Mask: paint what is to be filled in"), role: "img" }), size = h("input", { type: "range", min: 2, max: 80, value: 24 });
  let touched = false, last = null;
  picture.addEventListener("load", () => { mask.width = picture.naturalWidth; mask.height = picture.naturalHeight; });
  const pen = mask.getContext("2d");
  const at = (event) => { const box = mask.getBoundingClientRect(); return [((event.clientX - box.left) * mask.width) / box.width, ((event.clientY - box.top) * mask.height) / box.height]; };
  const paint = (event) => {
    if (!event.buttons) { last = null; return; }
    const now = at(event);
    pen.strokeStyle = "#fff"; pen.lineCap = "round"; pen.lineWidth = (Number(size.value) * mask.width) / mask.getBoundingClientRect().width;
    pen.beginPath(); pen.moveTo(...(last || now)); pen.lineTo(now[0] + 0.01, now[1]); pen.stroke();
    last = now; touched = true;
  };
  mask.addEventListener("pointerdown", (event) => { last = null; paint(event); });
  mask.addEventListener("pointermove", paint);
  const clear = h("button", { type: "button", onclick: () => { pen.clearRect(0, 0, mask.width, mask.height); touched = false; } }, t("Clear the mask"));
  place.replaceChildren(h("details", {}, h("summary", {}, t("Paint what is to be filled in, for models that fill holes")), h("div", { class: "brush" }, picture, mask), h("div", { class: "form" }, field(t("Brush"), size), clear)));
  return async () => {
    if (!touched) return null;
    const whole = h("canvas", {});
    whole.width = mask.width; whole.height = mask.height;
    const context = whole.getContext("2d");
    context.fillStyle = "#000"; context.fillRect(0, 0, whole.width, whole.height); context.drawImage(mask, 0, 0);
    return new Promise((resolve) => whole.toBlob(resolve, "image/png"));
  };
}
