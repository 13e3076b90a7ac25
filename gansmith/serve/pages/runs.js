// Runs, one run, and training.
import { atEnd, bars, busy, chart, choice, command, facts, field, get, h, into, optionFields, post, problem, query, remember, round, status, t } from "./base.js";

const WORDS = { good: "good", wrong: "wrong" };
const verdict = (run) => run.training ? h("p", { class: "dot live" }, t("training")) : run.verdict ? h("p", { class: `dot ${WORDS[run.verdict.word] || ""}` }, t(run.verdict.word)) : null;
const newest = (run) => ["final", "latest"].find((name) => run.pictures?.includes(name)) || (run.previews?.length ? String(run.previews.at(-1)) : null);
const whole = (number) => round(number, 9);
const minutes = (seconds) => (seconds === null || seconds === undefined ? null : seconds < 90 ? t("{n} s", { n: Math.round(seconds) }) : t("{n} min", { n: round(seconds / 60, 2) }));

export async function runs(page) {
  const found = await get("/runs"), ticked = new Set((query().compare || "").split(",").filter(Boolean));
  const compared = h("div", {});
  const list = h("ul", { class: "cards" }, found.map((run) => {
    const picture = newest(run);
    const tick = h("input", { type: "checkbox", checked: ticked.has(run.name), id: `tick-${run.name}` });
    tick.addEventListener("change", () => { tick.checked ? ticked.add(run.name) : ticked.delete(run.name); remember({ compare: [...ticked].join(",") }); compare(); });
    return h("li", { class: "card" },
      picture ? h("a", { href: `/runs/${run.name}`, tabindex: -1, "aria-hidden": "true" }, h("img", { src: `/api/v1/runs/${run.name}/pictures/${picture}`, alt: "", loading: "lazy" })) : null,
      h("h2", {}, h("a", { href: `/runs/${run.name}` }, run.name)),
      h("p", { class: "note" }, [run.gan, run.data, run.samples ? t("{n} samples", { n: whole(run.samples) }) : null].filter(Boolean).join(" · ")),
      verdict(run), bars(run.scores || []),
      h("div", { class: "field check" }, tick, h("label", { for: tick.id }, t("compare"))));
  }));
  function compare() {
    const chosen = found.filter((run) => ticked.has(run.name));
    compared.replaceChildren();
    if (chosen.length < 2) return;
    const names = [...new Set(chosen.flatMap((run) => (run.scores || []).map((score) => score.name)))];
    const value = (run, name) => round((run.scores || []).filter((score) => score.name === name).at(-1)?.value);
    compared.append(h("h2", {}, t("Compared")), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Compared") }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Score")), chosen.map((run) => h("th", { scope: "col" }, run.name)))),
      h("tbody", {}, names.map((name) => h("tr", {}, h("th", { scope: "row" }, name), chosen.map((run) => h("td", {}, value(run, name)))))))),
      command(`gansmith compare ${chosen.map((run) => run.name).join(" ")}`));
  }
  into(page, h("h1", {}, t("Runs")),
    found.length ? h("p", { class: "lead" }, t("Newest first. Tick two or more to compare them.")) : h("p", { class: "lead" }, t("Nothing has been trained here yet.")),
    found.length ? list : h("p", {}, h("a", { class: "button", href: "/train" }, t("Train a first model"))), compared);
  compare();
}

export async function run(page, name) {
  const card = await get(`/runs/${name}`);
  const live = h("div", {}), said = h("div", { "aria-live": "polite" }), curves = h("div", { class: "charts" }), state_ = status();
  const links = card.model ? h("div", { class: "row" }, h("a", { class: "button", href: `/m/${name}/generate` }, t("Generate")), h("a", { class: "button", href: `/m/${name}` }, t("Model"))) : null;
  into(page, h("h1", {}, name), verdict(card), card.verdict ? h("p", { class: "lead" }, card.verdict.because) : null, links, state_, live,
    facts({ [t("GAN")]: card.gan, [t("Data")]: card.data, [t("Samples")]: card.samples ? whole(card.samples) : null, [t("Time")]: minutes(card.seconds), [t("Speed")]: card.speed ? t("{n} a second", { n: round(card.speed) }) : null }));
  const stop = h("button", { type: "button", onclick: async () => { stop.disabled = true; stop.textContent = t("Saving ..."); try { await post(`/runs/${name}/stop`); } catch (error) { state_.replaceChildren(problem(error)); } } }, t("Stop and save"));
  const more = h("input", { type: "number", min: 0.1, step: "any", value: card.minutes ? 2 * card.minutes : 5 });
  const resume = h("button", { type: "button", onclick: async () => { const done = await busy(resume, state_, () => post(`/runs/${name}/resume`, { minutes: Number(more.value) || null })); if (done) location.reload(); } }, t("Train on"));
  into(live, card.training ? h("div", { class: "row" }, stop) : h("details", {}, h("summary", {}, t("Train on")), h("div", { class: "form" }, field(t("Minutes in all"), more), resume)));
  into(page, h("h2", {}, t("Samples over time")));
  const picture = h("img", { class: "shot", alt: t("Generated examples") }), which = h("input", { type: "range", min: 0, max: 0, value: 0 }), seen = h("p", { class: "note" });
  let previews = card.previews || [];
  const look = () => { const at = previews[Number(which.value)]; if (at === undefined) return; picture.src = `/api/v1/runs/${name}/pictures/${at}`; seen.textContent = t("{n} samples", { n: whole(at) }); };
  const renew = (latest) => { which.max = Math.max(0, previews.length - 1); if (latest) { which.value = which.max; which.sync?.(); } look(); };
  which.addEventListener("input", look);
  into(page, h("div", { class: "row" }, h("figure", {}, picture, seen), card.pictures?.includes("real") ? h("figure", {}, h("img", { class: "shot", src: `/api/v1/runs/${name}/pictures/real`, alt: t("Real examples") }), h("figcaption", {}, t("Real examples"))) : null), field(t("Preview"), which));
  renew(true);
  into(page, said, h("h2", {}, t("Curves")), curves);
  into(page, h("h2", {}, t("On the command line")), command(card.command || `gansmith generate ${name} -n 100`));
  if (card.report) into(page, h("h2", {}, t("Report")), h("iframe", { src: `/api/v1/runs/${name}/report`, title: t("Report of {name}", { name }), sandbox: "allow-scripts" }));

  const ticks = [];
  const source = new EventSource(`/api/v1/runs/${name}/events`);
  atEnd(() => source.close());
  let drawn = 0;
  const draw = () => {
    const groups = { [t("What each player minimises")]: "terms", [t("Gradient norms")]: "gradient_norms" };
    const good = [t("Good: the players stay in balance. Curves of a game need not fall; one that runs away for long means that one player has won."), t("Good: steady within a factor of ten. Near zero, a player has nothing left to learn from; growing without end, the game diverges."), t("Good: steady.")];
    curves.replaceChildren(...Object.entries(groups).map(([title, key]) => {
      const names = [...new Set(ticks.flatMap((tick) => Object.keys(tick[key] || {})))];
      return chart(title, Object.fromEntries(names.map((own) => [own, ticks.filter((tick) => tick[key]?.[own] !== undefined).map((tick) => [tick.samples, tick[key][own]])])));
    }).concat([chart(t("Samples a second"), { speed: ticks.map((tick) => [tick.samples, tick.examples_per_second]) })]).map((own, place) => { own?.append(h("p", { class: "note" }, good[place])); return own; }).filter(Boolean));
  };
  source.addEventListener("tick", (event) => {
    const tick = JSON.parse(event.data);
    ticks.push(tick);
    for (const alarm of tick.health || []) said.replaceChildren(h("p", { class: "said" }, alarm.sentence));
    if (card.training) {
      const left = card.budget && tick.examples_per_second ? (card.budget - tick.samples) / tick.examples_per_second : card.minutes ? 60 * card.minutes - tick.seconds : null;
      state_.replaceChildren(h("p", { class: "note" }, [t("{n} samples", { n: whole(tick.samples) }), left > 0 ? t("about {time} left", { time: minutes(left) }) : null].filter(Boolean).join(" · ")));
    }
    clearTimeout(drawn);
    drawn = setTimeout(draw, 60);
  });
  source.addEventListener("previews", (event) => {
    const names = JSON.parse(event.data), numbers = names.filter((own) => /^\d+$/.test(own)).map(Number);
    const atEdge = which.value === which.max;
    previews = [...new Set([...previews, ...numbers])].sort((a, b) => a - b);
    renew(atEdge);
  });
  source.addEventListener("message", (event) => { if (event.data.startsWith("{")) said.append(h("p", { class: "note" }, JSON.parse(event.data).sentence)); });
  source.addEventListener("end", (event) => {
    source.close();
    if (card.training) { const { status: code } = JSON.parse(event.data); state_.replaceChildren(h("p", { class: "note" }, code === 0 || code === 130 ? t("It has ended; everything is saved.") : t("It ended by a fault; see what it said.")), h("button", { type: "button", onclick: () => location.reload() }, t("Show the result"))); }
  });
}

/** What was dropped, [path, file] each; folders with all that is in them. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean), found = [];
  if (!entries.length) return [...transfer.files].map((file) => [file.name, file]);
  const walk = async (entry) => {
    if (entry.isFile) { found.push([entry.fullPath.replace(/^\//, ""), await new Promise((resolve, reject) => entry.file(resolve, reject))]); return; }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const own of some) await walk(own);
    }
  };
  for (const entry of entries) await walk(entry);
  return found.filter(([path]) => !path.split("/").some((part) => part.startsWith(".")));
}

const AT_ONCE = 200, BYTES = 24 * 2 ** 20;
/** Sends files in portions that the server takes; the first one names what the others are added to. */
async function sent(files, said) {
  const portions = [[]];
  let bytes = 0;
  for (const [path, file] of files) {
    if (portions.at(-1).length && (portions.at(-1).length >= AT_ONCE || bytes + file.size > BYTES)) { portions.push([]); bytes = 0; }
    portions.at(-1).push([path, file]);
    bytes += file.size;
  }
  let kept = null, done = 0;
  for (const portion of portions) {
    const form = new FormData();
    for (const [path, file] of portion) form.append("files", file, path);
    if (kept) form.append("into", kept.name);
    kept = await post("/data", form);
    done += portion.length;
    if (portions.length > 1) said.replaceChildren(h("p", { class: "note" }, t("{n} of {all} files are there", { n: done, all: files.length })));
  }
  return kept;
}

export async function train(page) {
  const given = query(), [data, gans, every] = await Promise.all([get("/data"), get("/gans"), get("/kinds")]);
  const chosen = choice(data.map((one) => [one.name, one.own ? `${one.name} (${t("yours")})` : one.name]), given.data);
  const kind = choice(every.map((one) => [one.name, one.name]), given.kind, t("as the files say"));
  const about = h("small", {}), found = status(), begun = status();
  const gan = choice(gans.map((one) => one.name), given.gan, t("the usual one"));
  const offer = (kind) => {
    const fits = gans.filter((one) => !one.kinds.length || one.kinds.includes(kind)).map((one) => one.name), now = gan.value;
    if (!fits.length) return;
    gan.replaceChildren(h("option", { value: "" }, t("the usual one")), ...fits.map((own) => h("option", { value: own, selected: own === now }, own)));
    if (now && !fits.includes(now)) learn();
  };
  const time = h("input", { type: "number", min: 0.01, step: "any", value: given.minutes ?? (given.samples ? "" : 3) });
  const samples = h("input", { type: "number", min: 1, step: 1, value: given.samples ?? "" });
  const judged = h("input", { type: "checkbox", checked: given.evaluate !== "no" });
  const seed = h("input", { type: "number", min: 0, step: 1, value: given.seed ?? 0 });
  const size = h("input", { type: "number", min: 4, step: 1, value: given.resolution ?? "" });
  const name = h("input", { type: "text", pattern: "[A-Za-z0-9][A-Za-z0-9_.\\-]*", value: "" });
  const preset = h("div", {}), more = h("div", { class: "form" }), line = h("div", {});
  let options = { read: () => ({}) }, picked = () => "";

  const asked = () => ({ data: chosen.value, kind: kind.value || null, gan: gan.value || null, preset: picked() || null, minutes: Number(time.value) || null, samples: Number(samples.value) || null, evaluate: judged.checked, seed: Number(seed.value) || 0, resolution: Number(size.value) || null, name: name.value || null, options: options.read() });
  const tell = () => {
    const a = asked();
    remember({ data: a.data, kind: a.kind, gan: a.gan, preset: a.preset, minutes: a.minutes, samples: a.samples, evaluate: a.evaluate ? "" : "no", seed: a.seed || "", resolution: a.resolution });
    about.textContent = data.find((one) => one.name === a.data)?.about || "";
    const words = [a.data, a.kind && `--kind ${a.kind}`, a.gan && `--gan ${a.gan}`, a.preset && `--preset ${a.preset}`, a.minutes && `--minutes ${a.minutes}`, a.samples && `--samples ${a.samples}`, !a.evaluate && "--no-evaluate", a.seed && `--seed ${a.seed}`, a.resolution && `--resolution ${a.resolution}`, ...Object.entries(a.options).map(([key, value]) => (typeof value === "boolean" ? `--gan.${value ? "" : "no-"}${key.replaceAll("_", "-")}` : `--gan.${key.replaceAll("_", "-")} ${value}`))];
    line.replaceChildren(command(`gansmith train ${words.filter(Boolean).join(" ")}`));
  };
  const learn = async () => {
    options = { read: () => ({}) }; picked = () => "";
    preset.replaceChildren(); more.replaceChildren();
    if (gan.value) {
      const one = await get(`/gans/${gan.value}`);
      const presets = choice(Object.entries(one.presets).map(([key, own]) => [key, `${key}: ${own.about}`]), given.preset, t("its first"));
      picked = () => presets.value;
      presets.addEventListener("change", tell);
      preset.append(field(t("Preset"), presets));
      options = optionFields(one.options);
      more.append(...options.fields);
      more.addEventListener("change", tell);
    }
    tell();
  };
  const upload = async (files) => {
    const kept = await busy(browse, found, () => sent(files, found));
    if (!kept) return;
    data.unshift({ name: kept.name, about: t("yours"), own: true });
    chosen.prepend(h("option", { value: kept.name }, `${kept.name} (${t("yours")})`));
    chosen.value = kept.name;
    tell();
    look.click();
  };
  const chosenFiles = (input) => [...input.files].map((file) => [file.webkitRelativePath || file.name, file]);
  const browse = h("input", { type: "file", multiple: true, id: "files", onchange: () => browse.files.length && upload(chosenFiles(browse)) });
  const folder = h("input", { type: "file", webkitdirectory: true, id: "folder", onchange: () => folder.files.length && upload(chosenFiles(folder)) });
  const drop = h("div", { class: "drop" }, h("p", {}, t("Drop a folder, pictures, a zip, a CSV or Parquet file, WAV files, texts, MIDI files or films here, or choose them:")), h("label", { for: "files", class: "label" }, t("Files"), " "), browse, " ", h("label", { for: "folder", class: "label" }, t("or a folder"), " "), folder);
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); dropped(event.dataTransfer).then((files) => { if (files.length) upload(files); }); });
  const look = h("button", { type: "button", onclick: async () => {
    const seen = await busy(look, found, () => post(`/data/${encodeURIComponent(chosen.value)}/inspect`, { kind: kind.value || null }));
    if (!seen) return;
    offer(seen.kind);
    const listed = (value) => (Array.isArray(value) ? value.length : value && typeof value === "object" ? Object.keys(value).length : value);
    found.replaceChildren(h("h2", {}, t("What is in it")), facts({ [t("Kind")]: seen.kind, [seen.unit || t("Examples")]: round(seen.count, 6), [t("Classes")]: listed(seen.classes) || null, [t("Columns")]: listed(seen.columns) || null, [t("Unreadable")]: listed(seen.unreadable) || null, [t("Duplicates")]: listed(seen.duplicates) || null }),
      seen.suggestion ? h("p", {}, seen.suggestion) : "", seen.advice ? h("p", { class: "said" }, seen.advice) : "", ...(seen.notes || []).map((note) => h("p", { class: "note" }, note)), command(seen.command));
  } }, t("Look at the data"));
  const start = h("button", { class: "main", type: "submit" }, t("Train"));
  const form = h("form", { onsubmit: async (event) => {
    event.preventDefault();
    const made = await busy(start, begun, () => post("/runs", asked()));
    if (made) { history.pushState(null, "", `/runs/${made.name}`); dispatchEvent(new PopStateEvent("popstate")); }
  } }, h("div", { class: "form" }, h("div", {}, field(t("Data"), chosen), about), field(t("Kind"), kind), field(t("GAN"), gan), preset, field(t("Minutes"), time), field(t("or samples"), samples), field(t("Judge it at its end"), judged), field(t("Seed"), seed), field(t("Resolution (of pictures)"), size), field(t("Name of the run"), name)),
    h("details", {}, h("summary", {}, t("All options of this GAN")), more), h("div", { class: "row" }, start, look));
  form.addEventListener("change", tell);
  gan.addEventListener("change", learn);
  into(page, h("h1", {}, t("Train")), h("p", { class: "lead" }, t("In a process of its own on this machine: this page may be closed meanwhile.")), drop, form, begun, found, h("h2", {}, t("On the command line")), line);
  await learn();
}
