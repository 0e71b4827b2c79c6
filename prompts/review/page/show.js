// Shows an item.
const now = { item: null, player: null, since: 0, mode: "decide", busy: false, text: "", findings: [] };

let noteEnds = 0;
function note(text, kind = "") {
  const place = find(".note");
  place.textContent = text;
  place.className = `note ${kind}`;
  place.hidden = !text;
  clearTimeout(noteEnds);
  if (text && kind !== "bad") noteEnds = setTimeout(() => { place.hidden = true; }, 4000);
}

const weigh = (weight) => (weight <= 5 ? "light" : weight <= 7 ? "medium" : "heavy");
const seconds = (value) => `${value.toFixed(2)} s`;

function setMode(mode) {
  now.mode = desk.dataset.mode = mode;
  const text = find("textarea.edit");
  if (text) text.hidden = mode !== "edit";
  const shown = find(".turn.evaluate .answer");
  if (shown) shown.hidden = mode === "edit";
}

function showItem(item) {
  now.player?.pause();
  Object.assign(now, { item, player: null, since: performance.now() });
  desk.dataset.state = item ? "item" : "empty";
  desk.dataset.clip = item ? item.clip : "";
  find(".loading").hidden = true;
  find(".empty").hidden = Boolean(item);
  find(".item").hidden = !item;
  if (!item) return;
  Object.assign(now, { text: item.text, findings: item.findings });
  find("[data-action]").textContent = item.action.name;
  find("[data-clip]").textContent = item.clip + (item.skill ? ` · ${item.skill}` : "");
  find("[data-flag]").hidden = !item.flagged;
  find("[data-sim]").hidden = !item.simulated;
  find("[data-score]").textContent = `score ${item.score.toFixed(1)}`;
  showTurns(item);
  find(".left").scrollTop = 0;
  showLabels(item);
  showHeard(item);
  showEarlier(item);
  showScope(item);
  showFindings(item.findings);
  setMode("decide");
  showViews(item);
}

function showTurns(item) {
  find(".turns").replaceChildren(...item.turns.map((turn) => {
    const row = make("li", `turn ${turn.stage}`);
    const isEvaluation = turn.stage === "evaluate";
    row.append(make("p", "question", turn.question));
    row.append(make("div", "answer", isEvaluation ? item.text : turn.answer));
    if (isEvaluation) {
      row.append(make("textarea", "edit", null, { value: item.text, hidden: true, spellcheck: true, maxLength: 20000, ariaLabel: "The evaluation" }));
      if (item.edited) row.append(make("p", "soft", say.edited_before));
    }
    row.append(make("div", "findings"));
    return row;
  }));
  find("textarea.edit").addEventListener("input", typed);
}

function showFindings(findings, checking = false) {
  now.findings = findings;
  all(".turn").forEach((row) => {
    const here = findings.filter((finding) => row.classList.contains(finding.stage));
    const place = find(".findings", row);
    row.classList.toggle("wrong", here.length > 0);
    place.replaceChildren(...here.map((finding) => make("p", "finding", finding.message)));
    if (row.classList.contains("evaluate")) {
      const said = checking ? say.checking : !here.length ? say.passes : here.length === 1 ? say.found_one : say.found_many.replace("{count}", here.length);
      place.prepend(make("p", `check ${checking ? "" : here.length ? "bad" : "good"}`, said));
    }
  });
  desk.dataset.findings = checking ? "checking" : findings.length;
}

function errorRow(error, tag) {
  const row = make(tag, "error");
  row.append(make("span", `mark ${weigh(error.weight)}`, error.weight, { title: `weight ${error.weight}` }));
  const words = make("span", "words");
  const when = error.start_s === null ? "" : ` · ${seconds(error.start_s)}–${seconds(error.end_s)}`;
  words.append(make("b", "", error.name), make("small", "", `${error.phase} · ${error.step} · ${error.id}${when}`));
  row.append(words);
  return row;
}

function showLabels(item) {
  const rows = item.labels.map((error) => {
    const row = make("li");
    const button = errorRow(error, "button");
    button.type = "button";
    button.title = error.description;
    button.addEventListener("click", () => seekTo(error));
    row.append(button);
    return row;
  });
  find(".labels").replaceChildren(...(rows.length ? rows : [make("li", "soft", say.no_labels)]));
}

function showHeard(item) {
  const place = find(".heard");
  const rows = item.feedback.map((line) => {
    const said = line.verdict === "wrong" ? say.wrong_feedback : say.helpful_feedback;
    const row = make("li", `said ${line.verdict}`, said + (line.turn ? ` (${line.turn})` : "") + (line.note ? `: ${line.note}` : ""));
    if (line.answer) row.append(make("p", "quote", line.answer));
    return row;
  });
  if (item.reopened) rows.unshift(make("li", "said wrong", say.reopened));
  place.hidden = !rows.length;
  place.replaceChildren(...rows);
}

function showEarlier(item) {
  const place = find(".earlier");
  place.hidden = !item.earlier.length;
  find("ul", place).replaceChildren(...item.earlier.map((made) => {
    const row = make("li");
    const state = made.action === "reject" ? "rejected" : made.text === null ? "accepted" : "edited";
    row.append(make("b", "", made.person), make("span", `state ${state}`, states[state]));
    if (made.reason) row.append(make("p", "", made.reason));
    if (made.occurrences && made.action === "reject") row.append(make("p", "soft", `saw ${made.occurrences.join(", ") || "no error"}`));
    if (made.text) row.append(make("p", "quote", made.text));
    return row;
  }));
}

function showScope(item) {
  const labelled = new Set(item.labels.map((error) => error.id));
  find(".scope").replaceChildren(...item.scope.map((error) => {
    const row = make("label");
    row.append(make("input", "", null, { type: "checkbox", value: error.id, checked: labelled.has(error.id) }), errorRow(error, "span"));
    return row;
  }));
  find("[data-says]").checked = false;
  find(".seen").open = false;
  find(".own input").value = "";
}

function showViews(item) {
  const place = find("#views");
  place.className = `views n${item.views.length}`;
  place.replaceChildren(...item.views.map((view) => {
    const figure = make("figure", "view");
    const screen = make("div", "screen");
    screen.append(view.kind === "frames" ? make("canvas") : make("video", "", null, { muted: true, playsInline: true, preload: "auto", tabIndex: -1 }));
    screen.append(make("p", "fault", view.fault ? say[view.fault] : "", { hidden: !view.fault }));
    figure.append(screen, make("figcaption", "", view.name));
    return figure;
  }));
  if (!item.views.length) place.replaceChildren(make("p", "fault none", say.no_views));
  find("figure.body")?.remove();
  const made = playerOf({ time: item.time, views: item.views, skeleton: null });
  now.player = made;
  const range = find(".track input");
  range.max = item.time.length;
  find(".phases").replaceChildren(...item.time.phases.map((span) => {
    const part = make("i", span.phase, span.phase, { title: span.phase });
    part.style.left = `${(100 * span.start_s) / item.time.length}%`;
    part.style.width = `${(100 * (span.end_s - span.start_s)) / item.time.length}%`;
    return part;
  }));
  made.clock.speed = speed;
  made.follow(({ t, playing }) => {
    range.value = t;
    find(".now").textContent = `${t.toFixed(2)} / ${item.time.length.toFixed(2)} s`;
    desk.classList.toggle("playing", playing);
  });
  if (item.skeleton) showBody(item, made);
  made.again();
  made.play();
}

async function showBody(item, made) {
  const figure = make("figure", "view body");
  const screen = make("div", "screen");
  const canvas = make("canvas", "skeleton", null, { ariaLabel: "Skeleton; drag to turn it" });
  const turns = make("div", "turn-by");
  [["¾", 35], ["Front", 0], ["Left", 90], ["Right", -90], ["Back", 180]].forEach(([name, angle]) => {
    const button = make("button", "", name, { type: "button" });
    button.dataset.turn = angle;
    turns.append(button);
  });
  screen.append(canvas, turns);
  const caption = make("figcaption", "", "Skeleton");
  figure.append(screen, caption);
  figure.hidden = skeletonAt !== "beside";
  find(".stage").append(figure);
  const drawing = await skeletonOf(item.clip);
  if (now.player !== made) return;
  if (!drawing) { figure.remove(); return; }
  made.showSkeleton(drawing, canvas);
  if (drawing.over?.fault) caption.append(make("span", "why", say[drawing.over.fault].replace("{view}", drawing.over.view)));
  else if (drawing.over) showProjected(drawing, made);
  placeSkeleton();
  made.again();
}

function showProjected(drawing, made) {
  const screen = find("#views .screen"), canvas = make("canvas", "over");
  screen.append(canvas);
  made.showOver(drawing.over, drawing, screen, canvas);
}

// What people chose stays chosen, also past items of which no camera is known.
let skeletonAt = "beside";
const skeletonNow = () => (skeletonAt === "over" && !find("canvas.over") ? "beside" : skeletonAt);
function placeSkeleton() {
  const body = find("figure.body"), over = find("canvas.over");
  if (body) body.hidden = skeletonNow() !== "beside";
  if (over) over.hidden = skeletonNow() !== "over";
}

function moveSkeleton() {
  const ways = find("canvas.over") ? ["beside", "over", "away"] : ["beside", "away"];
  skeletonAt = ways[(ways.indexOf(skeletonNow()) + 1) % ways.length];
  placeSkeleton();
  now.player.again();
}

function seekTo(error) {
  const phase = now.item.time.phases.find((span) => span.phase === error.phase);
  const start = error.start_s ?? phase?.start_s;
  if (start === undefined || start === null) return;
  now.player.pause();
  now.player.moveTo(start);
}
