// Buttons, keys, the cursor that is dragged over the time line, and what an error mark says.
const lanes = one("lanes"), tip = one("tip"), scrub = one("scrub");
const seconds = data.time.unit === "s";
const shownTime = (t) => (seconds ? t.toFixed(3) : String(Math.round(t) + 1));
const lastShown = seconds ? `${clock.length.toFixed(3)} s` : `${clock.length + 1} frames`;
const spanOf = (phase) => data.phases.find((span) => span.phase === phase);
const phaseAt = (t) => data.phases.filter((span) => t >= span.start_s && t <= span.end_s).pop();

follow(({ t, length, playing }) => {
  lanes.style.setProperty("--t", t / length);
  scrub.value = t;
  one("now").textContent = `${shownTime(t)} / ${lastShown}`;
  document.body.classList.toggle("playing", playing);
  one("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  const phase = phaseAt(t);
  one("phase").textContent = phase ? phase.phase : "";
  one("phase").className = phase ? phase.phase : "";
  document.querySelectorAll(".card").forEach((card) => {
    const error = data.errors[card.dataset.number - 1];
    const shows = error.start_s !== null ? t >= error.start_s && t <= error.end_s : phase && phase.phase === error.phase;
    card.classList.toggle("now", Boolean(shows));
  });
});

one("play").addEventListener("click", () => (clock.playing ? pause() : play()));
scrub.addEventListener("input", () => { pause(); moveTo(Number(scrub.value)); });
one("loop").addEventListener("change", (event) => { clock.loop = event.target.checked; });
document.querySelectorAll("[data-speed]").forEach((button) => {
  button.addEventListener("click", () => {
    clock.speed = Number(button.dataset.speed);
    document.querySelectorAll("[data-speed]").forEach((other) => other.setAttribute("aria-pressed", other === button));
    tell(true);
  });
});

const KEYS = {
  ArrowLeft: (event) => stepBy(event.shiftKey ? -10 : -1),
  ArrowRight: (event) => stepBy(event.shiftKey ? 10 : 1),
  Home: () => moveTo(0),
  End: () => moveTo(clock.length),
  Escape: () => unpin(),
  " ": () => (clock.playing ? pause() : play()),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  if (event.key === " " && event.target.closest("button, label, input[type=checkbox]")) return;
  event.preventDefault();
  KEYS[event.key](event);
});

// Dragging anywhere on a plot moves the cursor.
function timeUnder(event) {
  const box = one("axis").getBoundingClientRect();
  return ((event.clientX - box.left) / box.width) * clock.length;
}
lanes.addEventListener("pointerdown", (event) => {
  if (event.button || event.target.closest(".mark") || !event.target.closest(".plot")) return;
  pause();
  moveTo(timeUnder(event));
  lanes.setPointerCapture(event.pointerId);
  lanes.onpointermove = (moved) => moveTo(timeUnder(moved));
});
const letGo = () => { lanes.onpointermove = null; };
lanes.addEventListener("pointerup", letGo);
lanes.addEventListener("pointercancel", letGo);

let pinned = null;
function showTip(mark) {
  const error = data.errors[mark.dataset.error - 1];
  tip.replaceChildren(
    element("h3", "", `${error.number}  ${error.name}`),
    element("p", "meta", `${error.step} · ${error.phase} · weight ${error.weight}`),
    element("p", "advice", error.correction),
  );
  tip.hidden = false;
  const box = mark.getBoundingClientRect();
  const left = Math.min(Math.max(box.left + box.width / 2 - tip.offsetWidth / 2, 12), document.documentElement.clientWidth - tip.offsetWidth - 12);
  const above = box.top - tip.offsetHeight - 10;
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${(above > 0 ? above : box.bottom + 10) + scrollY}px`;
}
function unpin() {
  pinned = null;
  tip.hidden = true;
  document.querySelectorAll(".mark.on, .card.on").forEach((item) => item.classList.remove("on"));
}
function choose(number) {
  const error = data.errors[number - 1];
  const span = spanOf(error.phase);
  unpin();
  document.querySelectorAll(`[data-error="${number}"], #error-${number}`).forEach((item) => item.classList.add("on"));
  pause();
  if (error.start_s !== null) moveTo(error.start_s);
  else if (span) moveTo(span.start_s);
}
document.querySelectorAll("button.mark").forEach((mark) => {
  const show = () => showTip(mark);
  const hide = () => (pinned ? showTip(pinned) : (tip.hidden = true));
  mark.addEventListener("pointerenter", show);
  mark.addEventListener("focus", show);
  mark.addEventListener("pointerleave", hide);
  mark.addEventListener("blur", hide);
  mark.addEventListener("click", () => {
    choose(mark.dataset.error);
    pinned = mark;
    showTip(mark);
  });
});
document.querySelectorAll(".card").forEach((card) => card.addEventListener("click", () => choose(card.dataset.number)));
document.addEventListener("pointerdown", (event) => { if (!event.target.closest(".mark, .card")) unpin(); });
tell(true);
