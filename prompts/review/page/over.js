// The skeleton where the camera of a view saw it, over that view: for the frame that is on show.
function showOver({ frames: rows, width, height, last_s }, { bones, joint_sides: sides }, screen, canvas) {
  const pen = canvas.getContext("2d");
  const picture = screen.querySelector("video, canvas:not(.over)");
  let pose = rows[0];

  // Where the picture lies in its element: as large as fits, in the middle.
  function place() {
    const [box, own] = [picture.getBoundingClientRect(), canvas.getBoundingClientRect()];
    const wide = picture.videoWidth || picture.width, high = picture.videoHeight || picture.height;
    const scale = Math.min(box.width / wide, box.height / high);
    const left = box.left - own.left + (box.width - wide * scale) / 2;
    const top = box.top - own.top + (box.height - high * scale) / 2;
    return { left, top, across: (wide * scale) / width, down: (high * scale) / height, unit: Math.max(1.6, (high * scale) / 100) };
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    const size = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (!size[0] || !size[1]) return;
    if (canvas.width !== size[0]) canvas.width = size[0];
    if (canvas.height !== size[1]) canvas.height = size[1];
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    const { left, top, across, down, unit } = place();
    if (!Number.isFinite(left)) return;
    const style = getComputedStyle(canvas);
    const ink = (name) => style.getPropertyValue(`--${name}`);
    // What lies behind the camera has no place in the picture.
    const seen = (index) => pose[2 * index] !== null;
    const at = (index) => [left + pose[2 * index] * across, top + pose[2 * index + 1] * down];
    pen.lineCap = "round";
    const stroke = (start, end, colour, thickness) => {
      pen.strokeStyle = colour;
      pen.lineWidth = thickness;
      pen.beginPath();
      pen.moveTo(...at(start));
      pen.lineTo(...at(end));
      pen.stroke();
    };
    const dot = (index) => {
      pen.fillStyle = ink(sides[index]);
      pen.beginPath();
      pen.arc(...at(index), unit, 0, 2 * Math.PI);
      pen.fill();
    };
    const shown = bones.filter(([start, end]) => seen(start) && seen(end));
    shown.forEach(([start, end]) => stroke(start, end, ink("sheet"), 1.8 * unit));
    shown.forEach(([start, end, side]) => stroke(start, end, ink(side), 1.1 * unit));
    sides.forEach((_, index) => seen(index) && dot(index));
  }

  // The first frame of a view belongs to the first row of the skeleton, the last to the last.
  function moveBy(share) {
    const at = Math.min(1, Math.max(0, share)) * (rows.length - 1);
    const [from, to] = [rows[Math.floor(at)], rows[Math.ceil(at)]];
    pose = from.map((value, i) => (value === null || to[i] === null ? null : value + (at % 1) * (to[i] - value)));
    draw();
  }

  if (last_s === null) {
    const last = data.views[0].frames.length - 1 || 1;
    follow(({ t }) => moveBy(Math.round((t / clock.length) * last) / last));
  } else {
    const film = (seconds) => moveBy(seconds / (last_s || 1));
    film(picture.currentTime);
    if (picture.requestVideoFrameCallback) {
      const next = (_, frame) => { film(frame.mediaTime); picture.requestVideoFrameCallback(next); };
      picture.requestVideoFrameCallback(next);
    } else {
      follow(() => film(picture.currentTime));
    }
    picture.addEventListener("loadedmetadata", draw);
  }
  new ResizeObserver(draw).observe(canvas);
}
