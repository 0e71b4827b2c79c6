// The one clock. Everything that moves listens to it; nothing else keeps time.
const clock = { t: 0, length: data.time.length, speed: 1, playing: false, loop: true };
const listeners = [];
const follow = (listener) => listeners.push(listener);
const tell = (jumped) => listeners.forEach((listener) => listener(clock, jumped));

function moveTo(t) {
  clock.t = Math.min(Math.max(t, 0), clock.length);
  tell(true);
}

function stepBy(frames) {
  pause();
  const step = data.time.step;
  moveTo((Math.round(clock.t / step) + frames) * step);
}

let last = null;
function tick(now) {
  if (!clock.playing) return;
  const passed = last === null ? 0 : Math.min(now - last, 100) / 1000;
  last = now;
  const next = clock.t + passed * clock.speed * data.time.rate;
  if (next < clock.length) {
    clock.t = next;
    tell(false);
  } else if (clock.loop) {
    moveTo(0);
  } else {
    moveTo(clock.length);
    pause();
  }
  requestAnimationFrame(tick);
}

function play() {
  if (clock.playing) return;
  if (clock.t >= clock.length) clock.t = 0;
  clock.playing = true;
  last = null;
  tell(true);
  requestAnimationFrame(tick);
}

function pause() {
  if (!clock.playing) return;
  clock.playing = false;
  tell(true);
}
