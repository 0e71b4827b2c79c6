// The plots under the phases: sEMG envelopes, chest volume, heart rate; values at the cursor.
function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const brief = (value) => Number(value).toPrecision(3).replace(/e\+?(-?)0*/, "e$1");

// Value of a line at a time; null outside what was recorded.
function valueAt(line, t) {
  const { times, values } = line;
  if (t < times[0] - 1e-9 || t > times[times.length - 1] + line.slack) return null;
  let [low, high] = [0, times.length - 1];
  while (high - low > 1) {
    const half = (low + high) >> 1;
    if (times[half] <= t) low = half; else high = half;
  }
  const share = high === low ? 0 : Math.min(1, (t - times[low]) / (times[high] - times[low]));
  return values[low] + share * (values[high] - values[low]);
}

function curvePath(line, low, high) {
  return line.times
    .map((time, index) => {
      const y = 100 - (100 * (line.values[index] - low)) / (high - low);
      return `${index ? "L" : "M"}${((1000 * time) / clock.length).toFixed(2)} ${y.toFixed(2)}`;
    })
    .join("");
}

// lines: [{side, label, unit, times, values}], low and high: ends of the scale.
function addLane({ title, about, lines, low, high, filled, top, bottom }) {
  const lane = element("div", "lane curve");
  const name = element("div", "name");
  name.append(element("b", "", title), element("small", "", about));
  const plot = element("div", "plot");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 1000 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const dots = element("div", "dots");
  const readers = lines.map((line) => {
    const shape = curvePath(line, low, high);
    const end = (1000 * line.times[line.times.length - 1]) / clock.length;
    const draw = (d, className) => {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", d);
      path.setAttribute("class", className);
      svg.append(path);
    };
    const start = (1000 * line.times[0]) / clock.length;
    if (filled) draw(`${shape}L${end} 100L${start} 100Z`, `area ${line.side}`);
    draw(shape, line.side);
    const dot = element("i", line.side);
    const value = element("span", `value ${line.side}`);
    dots.append(dot);
    name.append(value);
    return { line, dot, value };
  });
  plot.append(svg, dots, element("span", "scale top", top), element("span", "scale bottom", bottom));
  lane.append(name, plot);
  one("plots").append(lane);
  follow(({ t }) => {
    readers.forEach(({ line, dot, value }) => {
      const now = valueAt(line, t);
      dot.hidden = now === null;
      value.textContent = now === null ? `${line.label} –` : `${line.label} ${line.say(now, t)}`;
      if (now !== null) dot.style.bottom = `${(100 * (now - low)) / (high - low)}%`;
    });
  });
}

function addMuscles({ muscles, step_s: step }) {
  muscles.forEach(({ name, lines, peak }) => {
    addLane({
      title: name.charAt(0).toUpperCase() + name.slice(1),
      about: "sEMG envelope",
      filled: true,
      low: 0,
      high: peak || 1,
      top: brief(peak),
      bottom: "0",
      lines: lines.map(({ side, values }) => ({
        side,
        values,
        times: values.map((_, index) => index * step),
        slack: 2 * step,
        label: { left: "L", right: "R", middle: "" }[side],
        say: brief,
      })),
    });
  });
}

function addPhysiology({ times_s: times, ...signals }) {
  // Breathing may be recorded for longer than the clip: the page shows the clip.
  const inside = times.map((time) => time >= -1e-6 && time <= clock.length * 1.0001);
  const keep = (list) => list.filter((_, index) => inside[index]);
  const shown = keep(times);
  if (!shown.length) return;
  const slack = shown.length > 1 ? 2 * (shown[1] - shown[0]) : 0;
  const line = (key, say) => ({ side: "middle", label: "", times: shown, values: keep(signals[key]), slack, say });
  const ends = (values, least) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const more = Math.max(least - (high - low), 0) / 2 || (high - low) * 0.06 || 0.5;
    return [low - more, high + more];
  };
  const chest = line("chest_volume", (now, t) => {
    const [before, after] = [valueAt(chest, Math.max(0, t - 0.04)), valueAt(chest, Math.min(clock.length, t + 0.04))];
    const change = (after ?? now) - (before ?? now);
    const still = Math.abs(change) < 0.01 * (high - low);
    return `${brief(now)} ${still ? "· holding" : change > 0 ? "↑ breathing in" : "↓ breathing out"}`;
  });
  const [low, high] = ends(chest.values, 0);
  const rate = keep(signals.breathing_rate_per_min);
  const mean = rate.reduce((sum, value) => sum + value, 0) / rate.length;
  addLane({ title: "Chest volume", about: `${mean.toFixed(1)} breaths/min`, lines: [chest], low, high, filled: true, top: brief(Math.max(...chest.values)), bottom: brief(Math.min(...chest.values)) });
  const heart = line("heart_rate_bpm", (now) => `${now.toFixed(0)} bpm`);
  const [least, most] = ends(heart.values, 12);
  addLane({ title: "Heart rate", about: "beats per minute", lines: [heart], low: least, high: most, filled: false, top: most.toFixed(0), bottom: least.toFixed(0) });
}

function addAxis() {
  const about = clock.length / 8;
  const power = 10 ** Math.floor(Math.log10(about));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= about);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) + (step / power === 2.5 ? 1 : 0);
  for (let t = 0; t <= clock.length + 1e-9; t += step) {
    const label = element("span", "", `${t.toFixed(digits)}${t ? "" : ` ${data.time.unit}`}`);
    label.style.left = `${(100 * t) / clock.length}%`;
    one("axis").append(label);
  }
}

if (data.semg) addMuscles(data.semg);
if (data.physiology) addPhysiology(data.physiology);
addAxis();
