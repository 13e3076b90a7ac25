// The game made visible: what the critic thinks of every place, where examples are and where it drives them, while the dials are turned.
import { atEnd, chart, choice, command, field, get, h, into, optionFields, post, problem, query, remember, remove, round, status, t } from "./base.js";

const PAUSE = 40;
const SMALL = { gan: { width: 128, noise: 8, learning_rate: 0.001 } };
const DATA = [["ring", "ring"], ["grid", "grid"], ["digits8", "digits8"]];

export async function play(page) {
  const given = query(), known = await get("/gans");
  const flat = (one) => one.kinds.includes("points") || one.axes.some((axes) => axes.join() === "dimension");
  const fitting = (data) => known.filter((one) => one.name !== "own" && one.tasks.includes("generation") && (data === "digits8" ? one.kinds.includes("images") : flat(one)));
  const data = choice(DATA, given.data ?? "ring"), seed = h("input", { type: "number", min: 0, value: given.seed ?? 0 }), gan = h("select", {});
  const stage = h("canvas", { width: 1120, height: 1120, role: "img", "aria-label": t("The plane: what is generated, real data, and the critic's landscape") }), picture = h("img", { alt: t("Generated examples"), hidden: true });
  const meters = h("div", { class: "meters" }), curves = h("div", { class: "charts" }), said = status(), dials = h("div", {}), options = h("div", {}), line = h("div", {});
  const go = h("button", { class: "main", type: "button" }, t("Play")), step = h("button", { type: "button" }, t("One round")), anew = h("button", { type: "button" }, t("Begin anew"));
  const slopes = h("input", { type: "checkbox", checked: true }), land = h("input", { type: "checkbox", checked: true }), pace = h("input", { type: "range", min: 1, max: 100, value: 20 });
  let game = null, playing = false, history = [], rates = {}, weights = {}, changed = {}, read = () => ({}), number = 0, shown = null;

  const fill = () => { const names = fitting(data.value).map((one) => one.name), now = gan.value || given.gan; gan.replaceChildren(...names.map((name) => h("option", { value: name, selected: name === now }, name))); if (!names.includes(now)) gan.value = names.includes("gan") ? "gan" : names[0]; };
  const end = () => { playing = false; if (game) remove(`/play/${game.id}`).catch(() => {}); game = null; };
  atEnd(end);
  addEventListener("pagehide", end);

  async function begin(start = {}) {
    end();
    const mine = (number += 1);
    history = []; rates = start.rates || {}; weights = start.weights || {}; changed = {};
    const asked = { ...(SMALL[gan.value] || {}), ...(start.options || {}) };
    remember({ gan: gan.value, data: data.value, seed: seed.value === "0" ? "" : seed.value });
    said.replaceChildren(h("p", { class: "note" }, t("The networks are built ...")));
    line.replaceChildren(command(`gansmith train ${data.value} --gan ${gan.value}${Object.entries(asked).map(([key, value]) => ` --gan.${key.replaceAll("_", "-")} ${value}`).join("")}${seed.value === "0" ? "" : ` --seed ${seed.value}`}`));
    try {
      const made = await post("/play", { gan: gan.value, data: data.value, seed: Number(seed.value) || 0, options: asked });
      if (mine !== number) { remove(`/play/${made.id}`).catch(() => {}); return false; }
      game = made;
    } catch (error) { said.replaceChildren(problem(error)); return false; }
    said.replaceChildren();
    stage.hidden = !game.plane; picture.hidden = game.plane;
    steer([]);
    const form = optionFields(game.options.map((one) => ({ ...one, default: one.value ?? one.default })).filter((one) => one.form !== "text"), {});
    read = form.read;
    options.replaceChildren(h("details", {}, h("summary", {}, t("Options of {name}, changed while it plays", { name: game.gan })), h("div", { class: "form" }, form.fields), h("p", { class: "note" }, t("Optimisers begin anew with every change; what changes the size of a network needs a new game."))));
    options.addEventListener("change", () => { changed = read(); });
    await turn(0);
    return true;
  }

  function dial(name, store, key, low, high, shownAs) {
    const input = h("input", { type: "range", min: low, max: high, step: 0.05, value: shownAs.of(store[key] ?? 1) }), label = h("output", {}, `× ${round(store[key] ?? 1, 2)}`);
    input.addEventListener("input", () => { store[key] = shownAs.from(Number(input.value)); label.textContent = `× ${round(store[key], 2)}`; });
    input.id = `dial-${name}`.replace(/\W+/g, "-");
    return h("div", { class: "field" }, h("label", { for: input.id }, name, " ", label), input);
  }
  const powers = { of: (value) => (value ? Math.log10(value) : -2), from: (value) => (value <= -2 ? 0 : 10 ** value) }, plain = { of: (value) => value, from: (value) => value };
  function steer(terms) {
    dials.replaceChildren(h("h2", { class: "small" }, t("Learning rates")), h("div", { class: "form" }, game.players.map((player) => dial(player, rates, player, -2, 1.5, powers))),
      ...(terms.length ? [h("h2", { class: "small" }, t("Terms of the loss")), h("div", { class: "form" }, terms.map((term) => dial(term, weights, term, 0, 4, plain)))] : []));
    dials.dataset.terms = terms.join();
  }

  async function turn(rounds) {
    const mine = number, now = await post(`/play/${game.id}`, { rounds, seconds: 0.4, rates, weights, options: changed, landscape: land.checked ? 40 : 0 });
    if (mine !== number || !game) return false;
    if (now.diverged) { said.replaceChildren(h("p", { class: "said" }, t("It has diverged: numbers became infinite. Begin anew with smaller learning rates."))); playing = false; label(); return false; }
    const terms = Object.keys(now.terms);
    if (terms.length && dials.dataset.terms !== terms.join()) steer(terms);
    if (now.rounds) history.push(now);
    shown = now;
    if (game.plane) draw(); else picture.src = now.picture;
    tell(now);
    return true;
  }

  function tell(now) {
    const { diversity, missing, realism, critic_advantage: wins } = now.health, percent = (value) => (value === null ? "–" : `${Math.round(100 * value)} %`);
    meters.replaceChildren(...[[percent(1 - missing), t("of the data is reached")], [percent(realism), t("look real")], [percent(diversity), t("as varied as the data")], [percent(wins), t("won by the critic")], [round(now.samples, 4), t("samples seen")]].map(([value, about]) => h("div", {}, h("b", {}, value), h("small", {}, about))));
    if (history.length > 3 && history.length % 3 === 0) {
      const names = Object.keys(now.terms);
      curves.replaceChildren(...[chart(t("What each player minimises"), Object.fromEntries(names.map((name) => [name, history.map((own) => [own.samples, own.terms[name] ?? NaN])]))), chart(t("Reached, real, varied"), { [t("reached")]: history.map((own) => [own.samples, 1 - own.health.missing]), [t("real")]: history.map((own) => [own.samples, own.health.realism]), [t("varied")]: history.map((own) => [own.samples, own.health.diversity]) })].filter(Boolean));
    }
  }

  function draw() {
    const pen = stage.getContext("2d"), size = stage.width, style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const x = (value) => ((value - game.low[0]) / (game.high[0] - game.low[0])) * size, y = (value) => size - ((value - game.low[1]) / (game.high[1] - game.low[1])) * size;
    pen.globalAlpha = 1;
    pen.fillStyle = colour("raised");
    pen.fillRect(0, 0, size, size);
    if (shown.landscape && land.checked) {
      const { side, bytes } = shown.landscape, values = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
      const small = document.createElement("canvas"), brush = small.getContext("2d");
      small.width = small.height = side;
      const image = brush.createImageData(side, side), [r, g, b] = rgb(colour("blue"));
      for (let row = 0; row < side; row += 1) for (let column = 0; column < side; column += 1) {
        const to = 4 * ((side - 1 - row) * side + column);
        image.data.set([r, g, b, 0.62 * values[row * side + column]], to);
      }
      brush.putImageData(image, 0, 0);
      pen.imageSmoothingEnabled = true;
      pen.imageSmoothingQuality = "high";
      pen.drawImage(small, 0, 0, size, size);
    }
    const dots = (points, name, radius, alpha) => { pen.fillStyle = colour(name); pen.globalAlpha = alpha; for (const point of points) { pen.beginPath(); pen.arc(x(point[0]), y(point[1]), radius, 0, 2 * Math.PI); pen.fill(); } pen.globalAlpha = 1; };
    dots(game.real, "green", 5, 0.55);
    if (shown.slopes && slopes.checked) {
      const longest = Math.max(...shown.slopes.map(([a, b]) => Math.hypot(a, b)), 1e-12), reach = (0.16 * (game.high[0] - game.low[0])) / longest;
      pen.strokeStyle = colour("orange"); pen.lineWidth = 2; pen.globalAlpha = 0.6;
      pen.beginPath();
      shown.points.forEach((point, place) => { const [a, b] = shown.slopes[place]; pen.moveTo(x(point[0]), y(point[1])); pen.lineTo(x(point[0] + reach * a), y(point[1] + reach * b)); });
      pen.stroke();
    }
    dots(shown.points, "orange", 5.5, 0.85);
  }

  const label = () => { go.textContent = playing ? t("Pause") : t("Play"); };
  async function run() {
    playing = true;
    label();
    while (playing && game && stage.isConnected) {
      try { if (!(await turn(Number(pace.value)))) break; } catch (error) { said.replaceChildren(problem(error)); break; }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    playing = false;
    label();
  }
  go.addEventListener("click", async () => { if (playing) { playing = false; return; } if (!game && !(await begin())) return; run(); });
  step.addEventListener("click", async () => { playing = false; if (!game && !(await begin())) return; turn(1).catch((error) => said.replaceChildren(problem(error))); });
  anew.addEventListener("click", () => begin());
  data.addEventListener("change", () => { fill(); begin(); });
  gan.addEventListener("change", () => begin());
  for (const box of [slopes, land]) box.addEventListener("change", () => shown && game?.plane && draw());

  const lesson = (title, about, ...moves) => h("li", {}, h("p", {}, h("b", {}, title), " ", about), h("div", { class: "row" }, moves.map(([name, move]) => h("button", { type: "button", onclick: move }, name))));
  const choose = async (name, start = {}) => { data.value = "ring"; fill(); gan.value = name; if (await begin(start)) run(); };
  const turnTo = (own, factors = {}) => { rates = { ...own }; weights = { ...factors }; steer(Object.keys(shown?.terms || {})); if (!playing && game) run(); };
  const lessons = h("ul", { class: "lessons" },
    lesson(t("Two players."), t("The blue ground is what the critic takes for real, the orange lines are where it would drive each example. The generator follows them, the ground moves, and so on."), [t("Play the original game"), () => choose("gan")]),
    lesson(t("Collapse."), t("Let the generator of the original game run ten times as fast: it drops most of the data and puts everything in one or two places. Turning the dials back rarely helps; a critic that is much faster does."), [t("Provoke it"), () => turnTo({ generator: 10 })], [t("Dials back"), () => turnTo({})], [t("Cure it"), () => turnTo({ critic: 30, generator: 3 })]),
    lesson(t("A gentle critic."), t("R3GAN's two penalties keep the critic's ground flat near examples, so that every example is told where to go."), [t("Play R3GAN"), () => choose("r3gan")], [t("Without its penalties"), () => turnTo({}, { "critic/r1": 0, "critic/r2": 0 })], [t("With them again"), () => turnTo({})]),
    lesson(t("A distance in place of a verdict."), t("The critic of WGAN-GP measures how far generated and real examples are apart; its slope stays near one everywhere. Provoke it in the same way: with the dials back it recovers by itself."), [t("Play WGAN-GP"), () => choose("wgan_gp")], [t("Provoke it"), () => turnTo({ generator: 10 })], [t("Dials back"), () => turnTo({})]));

  into(page, h("h1", {}, t("Play")), h("p", { class: "lead" }, t("A GAN while it learns, in the plane where everything can be seen. Turn the dials and watch.")),
    h("div", { class: "play" },
      h("div", { class: "stage" }, stage, picture, h("ul", { class: "keys" }, h("li", {}, h("i", { class: "real" }), t("real")), h("li", {}, h("i", { class: "fake" }), t("generated")), h("li", {}, h("i", { class: "land" }), t("what the critic takes for real")))),
      h("div", {}, h("div", { class: "form" }, field(t("GAN"), gan), field(t("Data"), data), field(t("Seed"), seed)), h("div", { class: "row" }, go, step, anew), said, meters, dials, h("div", { class: "form" }, field(t("Rounds a picture"), pace), field(t("Slopes"), slopes), field(t("Landscape"), land)))),
    h("h2", {}, t("Lessons")), lessons, h("h2", {}, t("Curves")), curves, options, h("h2", {}, t("On the command line")), line);
  fill();
  await begin();
}

function rgb(colour) {
  const digits = colour.replace("#", "");
  return [0, 2, 4].map((place) => parseInt(digits.slice(place, place + 2), 16));
}
