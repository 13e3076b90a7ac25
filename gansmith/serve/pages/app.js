// The address decides the page; links between pages load nothing anew.
import { get, h, leave, problem, state, t } from "./base.js";
import { runs, run, train } from "./runs.js";
import { models, card, generate, rows, speak } from "./model.js";
import { explore, translate } from "./edit.js";
import { play } from "./play.js";

/** @type {[RegExp, () => Function][]} */
const PAGES = [
  [/^\/$/, () => (state.server.studio ? runs : models)],
  [/^\/models$/, () => models],
  [/^\/runs$/, () => runs],
  [/^\/train$/, () => train],
  [/^\/play$/, () => play],
  [/^\/runs\/([\w.-]+)$/, () => run],
  [/^\/m\/([\w.-]+)$/, () => card],
  [/^\/m\/([\w.-]+)\/generate$/, () => generate],
  [/^\/m\/([\w.-]+)\/rows$/, () => rows],
  [/^\/m\/([\w.-]+)\/speak$/, () => speak],
  [/^\/m\/([\w.-]+)\/explore$/, () => explore],
  [/^\/m\/([\w.-]+)\/translate$/, () => translate],
];

const main = document.getElementById("main");
let shown = 0;

async function show(focus) {
  leave();
  const number = (shown += 1);
  const [pattern, page] = PAGES.find(([own]) => own.test(location.pathname)) ?? [];
  header();
  document.documentElement.lang = state.lang === "zh" ? "zh-CN" : "en";
  const content = h("div", { class: "page" });
  main.replaceChildren(content);
  try {
    if (!pattern || !page) throw new Error(t("There is no such page."));
    await page()(content, ...location.pathname.match(pattern).slice(1));
  } catch (error) {
    if (number === shown) content.append(h("h1", {}, t("Something is missing")), problem(error));
  }
  if (number !== shown) return;
  const heading = content.querySelector("h1");
  document.title = `${heading ? heading.textContent : ""} · gansmith`;
  content.dataset.ready = "true";
  if (focus) main.focus();
}

function header() {
  const links = state.server.studio
    ? [["/runs", t("Runs")], ["/train", t("Train")], ["/play", t("Play")]]
    : [["/models", t("Models")]];
  const here = (path) => location.pathname === path || (path !== "/" && location.pathname.startsWith(`${path}/`)) || (location.pathname === "/" && path === links[0][0]);
  const language = h("button", { class: "quiet", type: "button", lang: state.lang === "zh" ? "en" : "zh-CN", onclick: () => { state.lang = state.lang === "zh" ? "en" : "zh"; keep("lang", state.lang); show(); } }, state.lang === "zh" ? "English" : "中文");
  const dark = document.documentElement.dataset.theme === "dark";
  const theme = h("button", { class: "quiet", type: "button", onclick: () => { paint(dark ? "light" : "dark"); keep("theme", dark ? "light" : "dark"); header(); } }, dark ? t("Light") : t("Dark"));
  document.getElementById("top").replaceChildren(
    h("a", { class: "name", href: "/" }, "gansmith"),
    h("nav", { "aria-label": t("Pages") }, links.map(([path, name]) => h("a", { href: path, "aria-current": here(path) ? "page" : null }, name))),
    h("div", { class: "tools" }, language, theme));
}

const keep = (name, value) => { try { localStorage.setItem(`gansmith.${name}`, value); } catch { /* private windows keep nothing */ } };
const kept = (name) => { try { return localStorage.getItem(`gansmith.${name}`); } catch { return null; } };
const paint = (theme) => { document.documentElement.dataset.theme = theme; };

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? /** @type {HTMLAnchorElement | null} */ (event.target.closest("a[href^='/']")) : null;
  if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button || link.target || link.hasAttribute("download") || link.pathname.startsWith("/api/")) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  show(true);
  scrollTo(0, 0);
});
addEventListener("popstate", () => show());

paint(kept("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
state.lang = kept("lang") || (navigator.language.startsWith("zh") ? "zh" : "en");
try { state.server = await get("/server"); } catch (error) { main.append(problem(error)); }
show();
