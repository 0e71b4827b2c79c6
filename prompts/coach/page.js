// Seek buttons move the video, the talk follows its newest words, reports are fetched at a press.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-seek]");
  const video = document.querySelector("#clip video");
  if (!button || !video) return;
  const until = Number(button.dataset.until || 0);
  video.currentTime = Number(button.dataset.seek);
  if (!until) { video.pause(); return; }
  const halt = () => {
    if (video.currentTime < until) return;
    video.pause();
    video.removeEventListener("timeupdate", halt);
  };
  video.addEventListener("timeupdate", halt);
  video.play().catch(() => {});
  video.scrollIntoView({ block: "nearest", behavior: "smooth" });
});

// Follow the newest words, unless the reader has scrolled up to read.
let follow = true;
document.addEventListener("scroll", (event) => {
  const box = event.target;
  if (box.classList?.contains("coach-chat"))
    follow = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
}, true);

// Browsers play films that were put into a page later only when they are asked to.
const begun = new WeakSet();
const playMuscles = () => {
  const film = document.querySelector("video.muscles");
  if (!film || begun.has(film)) return;
  begun.add(film);
  film.muted = true;
  film.play().catch(() => {});
};
new MutationObserver(() => {
  const box = document.querySelector(".coach-chat");
  if (box && follow) box.scrollTop = box.scrollHeight;
  playMuscles();
}).observe(document.documentElement, { childList: true, subtree: true, characterData: true });

// The link of a hidden download button comes a moment after its file.
window.coachDownload = (id) => {
  const before = Date.now();
  const press = () => {
    const found = document.getElementById(id);
    const button = found && (found.matches("a, button") ? found : found.querySelector("a, button"));
    if (button) button.click();
    else if (Date.now() - before < 3000) setTimeout(press, 50);
  };
  setTimeout(press, 150);
};
