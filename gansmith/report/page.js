"use strict";

function slide(figure) {
  const frames = [...figure.querySelectorAll(".frame")];
  const range = figure.querySelector("input");
  const output = figure.querySelector("output");
  const play = figure.querySelector("[data-play]");
  let timer = null;

  function show(position) {
    frames.forEach((frame, index) => {
      frame.hidden = index !== position;
      if (frame.hidden) frame.querySelectorAll("audio, video").forEach((medium) => medium.pause());
    });
    range.value = position;
    const words = frames[position].dataset.samples + " samples";
    output.textContent = words;
    range.setAttribute("aria-valuetext", words);
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }
  range.addEventListener("input", () => { stop(); show(Number(range.value)); });
  play.addEventListener("click", () => {
    if (timer !== null) { stop(); return; }
    let position = Number(range.value) === frames.length - 1 ? 0 : Number(range.value);
    show(position);
    play.textContent = "Pause";
    timer = setInterval(() => {
      position += 1;
      if (position >= frames.length) { stop(); return; }
      show(position);
    }, 220);
  });
}

function chart(figure) {
  const svg = figure.querySelector("svg");
  const numbers = (name) => svg.dataset[name].split(" ").map(Number);
  const samples = svg.dataset.samples.split(" ");
  const values = svg.dataset.values.split(" ");
  const xs = numbers("x");
  const heights = { linear: numbers("linear"), log: svg.dataset.log ? numbers("log") : null };
  const output = figure.querySelector("output");
  const cursor = svg.querySelector(".cursor");
  const dot = svg.querySelector(".dot");
  const toggle = figure.querySelector("[data-log-toggle]");
  let current = null;

  function rest() {
    current = null;
    output.textContent = output.dataset.rest;
    cursor.setAttribute("visibility", "hidden");
    dot.setAttribute("visibility", "hidden");
  }
  function point(position) {
    current = position;
    const ys = figure.classList.contains("is-log") ? heights.log : heights.linear;
    cursor.setAttribute("x1", xs[position]);
    cursor.setAttribute("x2", xs[position]);
    dot.setAttribute("cx", xs[position]);
    dot.setAttribute("cy", ys[position]);
    cursor.setAttribute("visibility", "visible");
    dot.setAttribute("visibility", "visible");
    output.textContent = values[position] + " at " + samples[position];
  }
  function nearest(event) {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
    let best = 0;
    xs.forEach((candidate, index) => { if (Math.abs(candidate - x) < Math.abs(xs[best] - x)) best = index; });
    point(best);
  }
  svg.addEventListener("pointermove", nearest);
  svg.addEventListener("pointerdown", nearest);
  svg.addEventListener("pointerleave", rest);
  svg.addEventListener("blur", rest);
  svg.addEventListener("keydown", (event) => {
    const start = current === null ? xs.length - 1 : current;
    const moves = { ArrowLeft: start - 1, ArrowRight: start + 1, Home: 0, End: xs.length - 1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    point(Math.min(xs.length - 1, Math.max(0, moves[event.key])));
  });
  if (toggle) toggle.addEventListener("click", () => {
    const on = figure.classList.toggle("is-log");
    toggle.setAttribute("aria-pressed", String(on));
    if (current !== null) point(current);
  });
}

document.querySelectorAll(".slider").forEach(slide);
document.querySelectorAll(".chart").forEach(chart);
