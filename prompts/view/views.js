// Camera views: videos follow the clock, frames are drawn by it.
const DRIFT_S = 0.06;

function address(source) {
  // Embedded videos become blobs, which browsers seek in more readily than in data URIs.
  if (!source.startsWith("data:video")) return source;
  const [head, body] = source.split(",");
  const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: head.slice(5).split(";")[0] }));
}

function showVideo(view, figure) {
  const video = figure.querySelector("video");
  const stretch = view.lasts_s / clock.length;
  const fail = () => {
    figure.querySelector(".fault").textContent = "this browser cannot show this video";
    figure.querySelector(".fault").hidden = false;
  };
  if (!view.src) return;
  video.addEventListener("error", fail);
  let wanted = null;
  const seek = (t) => {
    // Just inside the frame, so that rounding does not show the one before.
    wanted = Math.min(t + 0.001, Math.max(0, view.lasts_s - 0.004));
    if (!video.seeking) go();
  };
  const go = () => {
    if (wanted === null || video.readyState < 1) return;
    const t = wanted;
    wanted = null;
    if (Math.abs(video.currentTime - t) > 0.0005) video.currentTime = t;
  };
  video.addEventListener("seeked", go);
  video.addEventListener("loadedmetadata", go);
  video.src = address(view.src);
  follow(({ t, playing, speed }, jumped) => {
    const target = t * stretch;
    if (!playing) {
      video.pause();
      seek(target);
      return;
    }
    // A video that lags plays a little faster until it is in step; one far off jumps.
    const late = Math.min(0.25, Math.max(-0.25, 4 * (target - video.currentTime)));
    const rate = speed * data.time.rate * stretch * (1 + late);
    const rounded = Math.min(16, Math.max(0.0625, Number(rate.toFixed(2))));
    if (video.playbackRate !== rounded) video.playbackRate = rounded;
    if (video.paused && target < view.lasts_s - 0.01) video.play().catch(() => {});
    if (jumped || (!video.seeking && Math.abs(video.currentTime - target) > DRIFT_S)) seek(target);
  });
}

function showFrames(view, figure) {
  const canvas = figure.querySelector("canvas");
  const pictures = view.frames.map((source) => Object.assign(new Image(), { src: source }));
  let shown = -1;
  const draw = (index) => {
    const picture = pictures[index];
    if (!picture.complete || !picture.naturalWidth) return;
    if (canvas.width !== picture.naturalWidth) canvas.width = picture.naturalWidth;
    if (canvas.height !== picture.naturalHeight) canvas.height = picture.naturalHeight;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    shown = index;
  };
  const at = (t) => Math.round((t / clock.length) * (pictures.length - 1));
  pictures.forEach((picture, index) => {
    picture.onload = () => index === at(clock.t) && draw(index);
  });
  follow(({ t }) => at(t) !== shown && draw(at(t)));
}

document.querySelectorAll("#views .view").forEach((figure, index) => {
  const view = data.views[index];
  (view.kind === "video" ? showVideo : showFrames)(view, figure);
});
