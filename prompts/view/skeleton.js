// The skeleton in three dimensions: turned by dragging, interpolated between its frames.
function showSkeleton({ frames, bones, joint_sides: sides, facing_deg: facing }, canvas) {
  const pen = canvas.getContext("2d");
  const HEAD = 0, DISTANCE = 3.4, TRAIL = [6, 10];
  const middle = [0, 0, Math.max(...frames.flatMap((f) => f.filter((_, i) => i % 3 === 2))) / 2];
  let turn = 35, tilt = 12, pose = frames[0];

  const project = ([x, y, z], width, height) => {
    // The camera stands before the person at turn 0, to their left at 90.
    const around = ((facing + turn) * Math.PI) / 180, down = (tilt * Math.PI) / 180;
    const [cos, sin] = [Math.cos(around), Math.sin(around)];
    const toward = x * cos + y * sin, aside = -x * sin + y * cos, up = z - middle[2];
    const depth = toward * Math.cos(down) + up * Math.sin(down);
    const rise = up * Math.cos(down) - toward * Math.sin(down);
    const scale = (Math.min(width * 0.86, height * 0.78) * DISTANCE) / (DISTANCE - depth);
    return [width / 2 + aside * scale, height * 0.49 - rise * scale, depth, scale];
  };
  const joint = (frame, index) => frame.slice(3 * index, 3 * index + 3);

  function line(from, to, ink, thickness, alpha) {
    pen.globalAlpha = alpha;
    pen.strokeStyle = ink;
    pen.lineWidth = thickness;
    pen.beginPath();
    pen.moveTo(from[0], from[1]);
    pen.lineTo(to[0], to[1]);
    pen.stroke();
  }

  function disc([x, y], radius, ink, alpha) {
    pen.globalAlpha = alpha;
    pen.fillStyle = ink;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !height) return;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.lineCap = pen.lineJoin = "round";
    const at = (point) => project(point, width, height);
    const style = getComputedStyle(canvas);
    const ink = Object.fromEntries(
      ["left", "right", "middle", "floor", "sheet", "ink"].map((name) => [name, style.getPropertyValue(`--${name}`)]),
    );
    const unit = Math.min(width, height) / 100;

    for (let k = -3; k <= 3; k += 1) {
      const fade = 0.75 - Math.abs(k) * 0.12;
      line(at([k / 5, -0.6, 0]), at([k / 5, 0.6, 0]), ink.floor, 1, fade);
      line(at([-0.6, k / 5, 0]), at([0.6, k / 5, 0]), ink.floor, 1, fade);
    }
    bones.forEach(([start, end]) => {
      const ground = (index) => at([...joint(pose, index).slice(0, 2), 0]);
      line(ground(start), ground(end), ink.ink, 2.2 * unit, 0.06);
    });
    TRAIL.forEach((index) => {
      frames.forEach((frame, number) => {
        if (!number) return;
        const from = at(joint(frames[number - 1], index)), to = at(joint(frame, index));
        line(from, to, ink[sides[index]], 1.2, 0.3);
      });
    });
    const points = sides.map((_, index) => at(joint(pose, index)));
    const parts = bones.map(([start, end, side]) => ({
      depth: (points[start][2] + points[end][2]) / 2,
      draw: () => {
        const near = 0.72 + 0.28 * Math.min(1, Math.max(0, (points[start][2] + 0.5)));
        line(points[start], points[end], ink.sheet, 2.9 * unit, 1);
        line(points[start], points[end], ink[side], 1.9 * unit, near);
      },
    }));
    sides.forEach((side, index) => {
      const radius = index === HEAD ? 0.046 * points[index][3] : 1.25 * unit;
      parts.push({
        depth: points[index][2] + 0.005,
        draw: () => {
          disc(points[index], radius + 0.35 * unit, ink.sheet, 1);
          disc(points[index], radius, ink[side], 1);
        },
      });
    });
    parts.sort((a, b) => a.depth - b.depth).forEach((part) => part.draw());
    pen.globalAlpha = 1;
  }

  follow(({ t, length }) => {
    const place = (t / length) * (frames.length - 1);
    const index = Math.min(Math.floor(place), Math.max(frames.length - 2, 0));
    const next = frames[Math.min(index + 1, frames.length - 1)];
    const share = place - index;
    pose = frames[index].map((value, i) => value + share * (next[i] - value));
    draw();
  });

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    let [x, y] = [event.clientX, event.clientY];
    canvas.onpointermove = (moved) => {
      turn -= (moved.clientX - x) * 0.5;
      tilt = Math.min(85, Math.max(-20, tilt + (moved.clientY - y) * 0.4));
      [x, y] = [moved.clientX, moved.clientY];
      draw();
    };
  });
  const release = () => { canvas.onpointermove = null; };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  document.querySelectorAll("[data-turn]").forEach((button) => {
    button.addEventListener("click", () => {
      [turn, tilt] = [Number(button.dataset.turn), 12];
      draw();
    });
  });
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

if (data.skeleton) showSkeleton(data.skeleton, one("skeleton"));
