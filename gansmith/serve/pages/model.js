// Models: the list, the card, generation, rows.
import { busy, choice, command, conditionFields, facts, field, follow, get, h, hand, into, medium, post, query, raw, remember, round, state, status, svg, t } from "./base.js";

export const tabs = (name, about, here) => {
  const pages = [["generate", t("Generate"), about.generates && !about.parts], ["rows", t("Rows"), about.generates && (about.formats.includes("csv") || about.parts)], ["explore", t("Explore"), about.edits], ["translate", t("Translate"), about.translates], ["speak", t("Speak"), about.speaks]];
  return h("nav", { class: "sub", "aria-label": t("Pages of this model") },
    h("a", { href: `/m/${name}`, "aria-current": here === "" ? "page" : null }, t("Model")),
    pages.filter(([, , has]) => has).map(([path, label]) => h("a", { href: `/m/${name}/${path}`, "aria-current": here === path ? "page" : null }, label)),
    state.server.studio ? h("a", { href: `/runs/${name}` }, t("Run")) : null);
};

export async function models(page) {
  const found = await get("/models");
  into(page, h("h1", {}, t("Models")), h("p", { class: "lead" }, t("Offered read-only by this server.")),
    h("ul", { class: "cards" }, found.map((one) => h("li", { class: "card" }, h("h2", {}, h("a", { href: `/m/${one.name}` }, one.name)), h("p", { class: `dot ${one.loaded ? "good" : ""}` }, one.loaded ? t("ready") : t("is loaded when it is asked for"))))));
}

export async function card(page, name) {
  const about = await get(`/models/${name}`), url = `${location.origin}/api/v1/models/${name}/generate`;
  const form = about.formats[0] || "png", first = about.conditions[0];
  const where = first?.choices ? { [first.name]: first.choices[0] } : {};
  const asked = JSON.stringify({ n: 4, seed: 1, where, format: form });
  const python = Object.keys(where).length ? `, where=${JSON.stringify(where)}` : "";
  into(page, h("h1", {}, name), tabs(name, about, ""),
    facts({ [t("Kind")]: about.kind, [t("GAN")]: about.gan, [t("Trained on")]: about.card.data, [t("Examples")]: about.card.examples ? round(about.card.examples, 6) : null, [t("Samples seen")]: about.card.samples ? round(about.card.samples, 6) : null, [t("Shape")]: `${about.shape.join(" × ")} (${about.axes.join(", ")})`, [t("Classes")]: about.classes.length ? about.classes.slice(0, 12).join(", ") : null, [t("Formats")]: about.formats.join(", ") }));
  if (about.generates) {
    const code = (title, text) => [h("h3", {}, title), h("pre", { tabindex: 0, "aria-label": title }, h("code", {}, text))];
    into(page, h("h2", {}, t("In your own program")),
      code(t("Command line"), `gansmith generate ${about.run} -n 4 --seed 1 --out ${name}.${form}`),
      code("curl", `curl ${url} \\\n  -H 'Content-Type: application/json' \\\n  -d '${asked}' -o ${name}.${form}`),
      code("Python", `import gansmith\n\nmodel = gansmith.connect("${location.origin}", "${name}")\nexamples = model.generate(4, seed=1${python})`),
      code("JavaScript", `const answer = await fetch("${url}", {\n  method: "POST",\n  headers: { "Content-Type": "application/json" },\n  body: JSON.stringify(${asked}),\n});\nconst file = await answer.blob();`));
  }
  into(page, h("h2", {}, t("Downloads")), h("div", { class: "row" },
    state.server.studio ? h("a", { class: "button", href: `/api/v1/runs/${name}/download`, download: `${name}.zip` }, t("The model (zip)")) : h("p", { class: "note" }, t("This server does not give its models away.")),
    h("a", { class: "button", href: "/api/v1/openapi.json" }, "OpenAPI")),
    state.server.studio && about.generates ? h("div", {}, h("p", {}, t("For other programs and for the browser:")), command(`gansmith export ${about.run} --to onnx`), about.edits ? command(`gansmith export ${about.run} --to web --out page/`) : null) : null);
}

const starred = (name) => { try { return JSON.parse(localStorage.getItem(`gansmith.stars.${name}`) || "[]"); } catch { return []; } };
const star = (name, seeds) => { try { localStorage.setItem(`gansmith.stars.${name}`, JSON.stringify(seeds.slice(-200))); } catch { /* kept nowhere */ } };

export async function generate(page, name) {
  const about = await get(`/models/${name}`), given = query(), seeded = about.seeded && about.previewed <= 128;
  const seeds = h("input", { type: "text", pattern: "[0-9, \\-]+", value: given.seeds ?? "1-12" });
  const n = h("input", { type: "number", min: 1, max: state.server.limits?.examples ?? 10000, value: given.n ?? Math.min(16, about.previewed) });
  const seed = h("input", { type: "number", min: 0, value: given.seed ?? 1 });
  const truncation = h("input", { type: "range", min: 0, max: 1.5, step: 0.05, value: given.truncation ?? 1 });
  const result = h("div", { class: "result" }), line = h("div", {}), said = status(), favourites = h("div", {});
  const asked = conditionFields(about.conditions, given, () => make());
  const wanted = () => ({ where: asked.where(), truncation: Number(truncation.value), ...(seeded ? { seeds: seeds.value } : { n: Number(n.value), seed: Number(seed.value) }) });
  const button = h("button", { class: "main", type: "submit" }, t("Generate"));
  const format = choice(about.formats, given.format);
  const save = h("button", { type: "button", onclick: () => busy(save, said, async () => {
    const answer = await raw(`/models/${name}/generate`, { ...wanted(), format: format.value });
    hand(await answer.blob(), `${name}.${format.value}`);
    return true;
  }) }, t("Save as"));
  async function make() {
    const want = wanted();
    remember({ ...(seeded ? { seeds: seeds.value } : { n: n.value, seed: seed.value }), truncation: want.truncation === 1 ? "" : want.truncation, ...Object.fromEntries(Object.entries(want.where).map(([key, value]) => [`w.${key}`, value])) });
    const answer = await busy(button, said, async (show) => {
      const job = await post(`/models/${name}/generate`, { ...want, format: "preview", each: seeded, job: true });
      return follow(job, show);
    });
    if (!answer) return;
    const { previews, as_requested: met, n: made } = answer.result, numbers = seeded ? expanded(seeds.value) : [];
    line.replaceChildren(command(answer.command));
    if (seeded) {
      const wide = previews[0]?.media.length || previews[0]?.size[0] > 2 * previews[0]?.size[1];
      result.replaceChildren(h("ul", { class: `tiles${wide ? " wide" : ""}` }, previews.map((one, place) => h("li", {},
        h("button", { type: "button", "aria-label": t("Seed {n}", { n: numbers[place] }), onclick: () => open(name, about, numbers[place], one, want, stars) }, h("img", { src: one.picture.url, alt: "", width: one.size[0], height: one.size[1] })),
        one.media.length ? h("div", { class: "media" }, one.media.map((file) => medium(file, t("Seed {n}", { n: numbers[place] })))) : null, h("small", {}, numbers[place])))));
    } else {
      const [one] = previews;
      result.replaceChildren(h("img", { src: one.picture.url, alt: t("Generated examples"), class: one.size[0] < 300 ? "small" : null }), one.media.length ? h("div", { class: "media" }, one.media.slice(0, 24).map((file) => medium(file, file.called))) : "");
    }
    if (met !== null && met !== undefined && Object.keys(want.where).length) result.append(h("p", { class: "note" }, t("{met} of {made} meet the conditions.", { met, made })));
  }
  function stars() {
    const kept = starred(name);
    favourites.replaceChildren(...(kept.length && seeded ? [h("h2", {}, t("Favourites")), h("div", { class: "row" }, kept.map((own) => h("span", { class: "note" }, own)), h("button", { type: "button", onclick: () => { seeds.value = kept.join(","); make(); } }, t("Show them")), about.edits ? h("a", { class: "button", href: `/m/${name}/explore?seeds=${kept.join(",")}` }, t("Walk between them")) : null, h("button", { class: "quiet", type: "button", onclick: () => { star(name, []); stars(); } }, t("Forget them")))] : []));
  }
  into(page, h("h1", {}, name), tabs(name, about, "generate"),
    h("form", { onsubmit: (event) => { event.preventDefault(); make(); } }, h("div", { class: "form" }, seeded ? field(t("Seeds"), seeds, t("such as 1-12 or 3,7,9")) : [field(t("How many"), n), field(t("Seed"), seed)], asked.fields, field(t("Truncation"), truncation, t("below 1: likelier examples, less variety"))), h("div", { class: "row" }, button, save, h("span", {}, h("label", { for: "format", class: "label" }, t("Format"), " "), Object.assign(format, { id: "format" })))),
    said, result, favourites, h("h2", {}, t("On the command line")), line);
  stars();
  await make();
}

export function expanded(text) {
  return text.split(",").flatMap((part) => { const [low, high] = part.trim().split("-").map(Number); return Array.from({ length: (high ?? low) - low + 1 }, (_, place) => low + place); });
}

function open(name, about, seed, one, want, renewed) {
  const near = h("div", { class: "result" }), said = status(), where = Object.entries(want.where).map(([key, value]) => ` --where ${/[<>=!]/.test(value) ? `'${key}${value}'` : `${key}=${value}`}`).join("");
  const kept = () => starred(name).includes(seed);
  const mark = h("button", { type: "button", "aria-pressed": String(kept()), onclick: () => { star(name, kept() ? starred(name).filter((own) => own !== seed) : [...starred(name), seed]); mark.setAttribute("aria-pressed", String(kept())); mark.textContent = kept() ? t("★ Favourite") : t("☆ Favourite"); renewed(); } }, kept() ? t("★ Favourite") : t("☆ Favourite"));
  const neighbours = h("button", { type: "button", onclick: () => busy(neighbours, said, async () => {
    const answer = await raw(`/models/${name}/directions`, { seeds: String(seed), count: 5, reach: 3, where: want.where });
    near.replaceChildren(h("img", { src: URL.createObjectURL(await answer.blob()), alt: t("Neighbours of seed {n}", { n: seed }) }));
    return true;
  }) }, t("Its neighbours"));
  const dialog = h("dialog", { "aria-label": t("Seed {n}", { n: seed }) }, h("h2", {}, t("Seed {n}", { n: seed })), h("img", { src: one.picture.url, alt: t("Seed {n}", { n: seed }) }), h("div", { class: "media" }, one.media.map((file) => medium(file, file.called))),
    h("div", { class: "row" }, mark, about.edits ? neighbours : null, h("a", { class: "button", href: `${one.picture.url}?download=true`, download: `${name}-${seed}.png` }, t("Save")), h("button", { type: "button", onclick: () => dialog.close() }, t("Close"))), said, near,
    command(`gansmith generate ${about.run} --seeds ${seed}${where} --out ${name}-${seed}.${about.formats[0]}`));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** How the values of a column are spread: a histogram of numbers, bars of the ten most frequent words. */
export function spread(name, values) {
  const known = values.filter((value) => value !== null), numbers = known.length && known.every((value) => typeof value === "number");
  let bars;
  if (numbers && new Set(known).size > 10) {
    const low = Math.min(...known), high = Math.max(...known), counts = Array(20).fill(0);
    for (const value of known) counts[Math.min(19, Math.floor((20 * (value - low)) / (high - low || 1)))] += 1;
    bars = counts.map((count, place) => [place === 0 ? round(low) : place === 19 ? round(high) : "", count]);
  } else {
    const counts = new Map();
    for (const value of known) counts.set(value, (counts.get(value) || 0) + 1);
    bars = [...counts].sort(numbers ? ([a], [b]) => a - b : ([, a], [, b]) => b - a).slice(0, 10).map(([value, count]) => [String(value), count]);
  }
  const most = Math.max(1, ...bars.map(([, count]) => count)), wide = 360 / Math.max(1, bars.length), missing = values.length - known.length;
  const drawn = svg("svg", { viewBox: "0 0 360 150", role: "img", "aria-label": `${name}: ${bars.filter(([label]) => label).map(([label, count]) => `${label} ${count}`).join(", ")}` });
  bars.forEach(([label, count], place) => {
    const tall = (120 * count) / most;
    drawn.append(svg("rect", { class: "bar", x: place * wide + 1, y: 126 - tall, width: Math.max(1, wide - 2), height: tall }));
    const anchor = bars.length === 20 ? (place ? "end" : "start") : "middle", x = anchor === "middle" ? (place + 0.5) * wide : place ? 360 : 0;
    if (label) drawn.append(svg("text", { x, y: 142, "text-anchor": anchor }, label.slice(0, Math.max(3, Math.floor(wide / 6.5)))));
  });
  return h("figure", { class: "chart" }, h("figcaption", {}, name, missing ? ` (${t("{n} missing", { n: missing })})` : ""), drawn);
}

/** The first rows as a table. */
function sheet(rows, label) {
  const names = Object.keys(rows[0] ?? {}), cut = rows.slice(0, 200);
  return h("div", {}, h("div", { class: "scroll rows", tabindex: 0, role: "region", "aria-label": label }, h("table", {}, h("thead", {}, h("tr", {}, names.map((own) => h("th", { scope: "col" }, own)))), h("tbody", {}, cut.map((row) => h("tr", {}, names.map((own) => h("td", {}, row[own] === null ? "" : String(row[own])))))))),
    rows.length > cut.length ? h("p", { class: "note" }, t("The first {n} rows are shown; files hold all.", { n: cut.length })) : null);
}

export async function speak(page, name) {
  const about = await get(`/models/${name}`), given = query(), others = (await get("/models")).map((one) => one.name).filter((own) => own !== name);
  const text = h("textarea", { rows: 3, maxlength: 2000, required: true }), speed = h("input", { type: "range", min: 0.25, max: 4, step: 0.05, value: given.speed ?? 1 });
  text.value = given.text ?? "";
  const vocoder = choice(others, given.vocoder, t("none: Griffin-Lim")), said = status(), result = h("div", { class: "result" }), line = h("div", {}), button = h("button", { class: "main", type: "submit" }, t("Speak"));
  const make = async () => {
    remember({ text: text.value, speed: speed.value === "1" ? "" : speed.value, vocoder: vocoder.value });
    const answer = await busy(button, said, async (show) => follow(await post(`/models/${name}/speak`, { text: text.value, speed: Number(speed.value), vocoder: vocoder.value || null, job: true }), show));
    if (!answer) return;
    result.replaceChildren(...answer.result.files.map((file) => h("figure", {}, medium(file, text.value), h("figcaption", {}, h("a", { href: `${file.url}?download=true`, download: file.name }, t("Save"))))));
    line.replaceChildren(command(answer.command));
  };
  into(page, h("h1", {}, name), tabs(name, about, "speak"),
    h("form", { onsubmit: (event) => { event.preventDefault(); make(); } }, field(t("What to say"), text, t("[[ HH AH0 L OW1 ]] gives phonemes.")), h("div", { class: "form" }, field(t("Speed"), speed, t("above 1: faster")), field(t("Vocoder"), vocoder, t("a model that makes the wave"))), h("div", { class: "row" }, button)), said, result, h("h2", {}, t("On the command line")), line);
  line.append(command(`gansmith speak ${about.run} TEXT`));
  if (text.value) await make();
}

export async function rows(page, name) {
  const about = await get(`/models/${name}`), given = query();
  const n = h("input", { type: "number", min: 1, max: state.server.limits?.examples ?? 10000, value: given.n ?? 50 });
  const seed = h("input", { type: "number", min: 0, value: given.seed ?? 1 });
  const asked = conditionFields(about.conditions, given, () => make()), said = status(), table = h("div", {}), line = h("div", {});
  const button = h("button", { class: "main", type: "submit" }, t("Generate"));
  const wanted = () => ({ n: Number(n.value), seed: Number(seed.value), where: asked.where() });
  const downloads = about.formats.map((format) => {
    const save = h("button", { type: "button", onclick: () => busy(save, said, async () => {
      const answer = await raw(`/models/${name}/generate`, { ...wanted(), format });
      hand(await answer.blob(), `${name}.${format}`);
      return true;
    }) }, `.${format}`);
    return save;
  });
  async function make() {
    const want = wanted();
    remember({ n: n.value, seed: seed.value, ...Object.fromEntries(Object.entries(want.where).map(([key, value]) => [`w.${key}`, value])) });
    const answer = await busy(button, said, async () => {
      const [made, shown] = await Promise.all([raw(`/models/${name}/generate`, { ...want, format: "json" }), about.parts ? null : post(`/models/${name}/generate`, { ...want, n: Math.min(want.n, about.previewed), format: "preview" })]);
      return { rows: await made.json(), shown, met: made.headers.get("x-gansmith-as-requested"), command: made.headers.get("x-gansmith-command") };
    });
    if (!answer) return;
    table.replaceChildren(...(about.parts
      ? Object.entries(answer.rows).flatMap(([part, own]) => [h("h2", {}, part), sheet(own, part)])
      : [answer.met ? h("p", { class: "note" }, t("{met} of {made} meet the conditions.", { met: answer.met, made: answer.rows.length })) : "", sheet(answer.rows, t("Generated rows")),
        h("h2", {}, t("Columns")), h("div", { class: "charts" }, Object.keys(answer.rows[0] ?? {}).slice(0, 60).map((own) => spread(own, answer.rows.map((row) => row[own])))),
        h("h2", {}, t("Picture")), h("div", { class: "result" }, h("img", { src: answer.shown.previews[0].picture.url, alt: t("Generated examples") }))]));
    line.replaceChildren(command(answer.command));
  }
  into(page, h("h1", {}, name), tabs(name, about, "rows"), h("form", { onsubmit: (event) => { event.preventDefault(); make(); } }, h("div", { class: "form" }, field(t("How many"), n), field(t("Seed"), seed), asked.fields), h("div", { class: "row" }, button, h("span", { class: "label" }, t("Save as")), downloads)), said, table, h("h2", {}, t("On the command line")), line);
  await make();
}
