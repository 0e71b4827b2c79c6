// What people do, by key or button.
let speed = 1, checks = 0, typing = 0, warned = null;

function count({ left, done }) {
  find("[data-left]").textContent = left.toLocaleString();
  find("[data-done]").textContent = done.toLocaleString();
}

function arrive(answer, shown = null) {
  count(answer.counts);
  const same = shown && answer.item && shown.clip === answer.item.clip && shown.seen === answer.item.seen;
  if (!same) showItem(answer.item);
  if (answer.item) lookAhead(answer.item.clip);
}

async function guarded(work) {
  if (now.busy) return;
  now.busy = true;
  desk.dataset.busy = "yes";
  try {
    await work();
  } catch (error) {
    if (error.kind === "changed") await lookAgain().catch(() => {});
    note(error.message, "bad");
  } finally {
    now.busy = false;
    desk.dataset.busy = "no";
  }
}

// What the person saw has changed: show what there is now, and keep what they wrote.
async function lookAgain() {
  const { clip } = now.item || {}, draft = now.mode === "edit" ? find("textarea.edit").value : null;
  arrive(await insist("next", {}));
  if (draft !== null && now.item?.clip === clip) edit(draft);
}

const decide = (action, more, said) => guarded(async () => {
  const item = now.item;
  const body = {
    clip: item.clip, seen: item.seen, action, origin: unique(), ...more,
    duration_ms: Math.round(performance.now() - now.since),
  };
  const edit = action === "edit";
  // The next item is shown at once; it can be decided when the server has this decision.
  const shown = ahead.after === item.clip && !edit ? ahead.item : null;
  if (shown) showItem(shown);
  try {
    const answer = await insist("decide", body);
    if (answer.failing) {
      warned = body.text;
      showFindings(answer.failing);
      return note(say.failing, "bad");
    }
    note(`${item.clip}: ${said}`, "good");
    arrive(answer, shown);
  } catch (error) {
    if (shown && error.kind !== "changed") showItem(item);
    throw error;
  }
});

function save() {
  const text = find("textarea.edit").value.trim();
  if (!text) return note(say.empty, "bad");
  if (text === now.item.text.trim()) return note(say.unchanged, "bad");
  decide("edit", { text, failing: warned === text }, say.edited);
}

function reject(reason) {
  if (!reason.trim()) return note(say.no_reason, "bad");
  const says = find("[data-says]").checked;
  const occurrences = says ? all(".scope input:checked").map((box) => box.value) : null;
  decide("reject", { reason, occurrences }, say.rejected);
}

const undo = () => guarded(async () => {
  const answer = await insist("undo", {});
  if (!answer.undone) return note(say.nothing_undone);
  arrive(answer);
  note(`${answer.undone.clip}: ${say.undone}`);
});

const skip = () => guarded(async () => {
  const clip = now.item.clip;
  arrive(await insist("skip", { clip }));
  note(`${clip}: ${say.skipped}`);
});

function typed(event) {
  const text = event.target.value, number = ++checks;
  warned = null;
  clearTimeout(typing);
  typing = setTimeout(async () => {
    showFindings(now.findings, true);
    try {
      const { findings } = await ask("check", { clip: now.item.clip, text });
      if (number === checks) showFindings(findings);
    } catch (error) {
      if (number === checks) note(error instanceof Refused ? error.message : say.waiting, "bad");
    }
  }, 250);
}

function edit(draft = null) {
  const area = find("textarea.edit");
  if (draft !== null) area.value = draft;
  setMode("edit");
  if (area.value !== now.item.text) typed({ target: area });
  area.style.height = `${Math.max(area.scrollHeight + 4, 140)}px`;
  area.focus();
  area.setSelectionRange(0, 0);
}

function leave() {
  if (now.mode === "edit" && find("textarea.edit").value !== now.item.text) {
    // The draft stays in its field, for the next `e`; what is shown is the text as it was.
    checks += 1;
    clearTimeout(typing);
    showFindings(now.item.findings);
    note(say.draft_kept);
  }
  setMode("decide");
  document.activeElement?.blur();
}

function setSpeed(value) {
  speed = value;
  now.player.clock.speed = value;
  all("[data-speed]").forEach((button) => button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === value)));
  now.player.again();
}

function help() {
  const box = find("dialog.keys");
  box.open ? box.close() : box.showModal();
}

const acts = {
  a: () => decide("accept", {}, say.accepted), e: () => edit(), s: skip,
  r: () => { setMode("reject"); },
  " ": () => (now.player.clock.playing ? now.player.pause() : now.player.play()),
  ",": () => now.player.stepBy(-1), ".": () => now.player.stepBy(1),
  1: () => setSpeed(0.25), 2: () => setSpeed(0.5), 3: () => setSpeed(1),
  k: moveSkeleton,
};

function act(key) {
  if (key === "?") return help();
  if (key === "u" && now.mode !== "edit") return undo();
  if (now.item && now.mode !== "edit" && acts[key]) acts[key]();
}

function pressed(event) {
  if (desk.offsetParent === null || !now.item && !"u?".includes(event.key)) return;
  const typingIn = event.target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]");
  if (event.key === "Escape" && now.mode !== "decide" && !find("dialog.keys").open) return leave();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && now.mode === "edit") {
    event.preventDefault();
    return save();
  }
  if (typingIn || event.ctrlKey || event.metaKey || event.altKey) return;
  if (find("dialog.keys").open && event.key !== "?") return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === " " && event.target.closest("button, summary, a")) return;
  // A key that is held decides once.
  if (event.repeat && !",.".includes(key)) return;
  if (now.mode === "reject" && reasons[key]) {
    event.preventDefault();
    return reject(reasons[key]);
  }
  // Who starts to write a reason must not accept or undo with its first letter.
  if (now.mode === "reject" && /^\p{L}$/u.test(key)) return find(".own input").focus();
  if (key === "?" || key === "u" || acts[key]) {
    event.preventDefault();
    act(key);
  }
}

async function start() {
  document.addEventListener("keydown", pressed);
  desk.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.key) { act(button.dataset.key); button.blur(); }
    if (button.dataset.speed) setSpeed(Number(button.dataset.speed));
    if (button.dataset.reason) reject(reasons[button.dataset.reason]);
    if ("save" in button.dataset) save();
    if ("leave" in button.dataset) leave();
    if ("look" in button.dataset) guarded(async () => arrive(await insist("next", {})));
  });
  find(".own").addEventListener("submit", (event) => {
    event.preventDefault();
    reject(find(".own input").value);
  });
  find(".track input").addEventListener("input", (event) => {
    now.player.pause();
    now.player.moveTo(Number(event.target.value));
  });
  new IntersectionObserver(([seen]) => { if (!seen.isIntersecting) now.player?.pause(); }).observe(desk);
  await guarded(async () => {
    const me = await insist("me");
    find("[data-name]").textContent = me.name;
    find("[data-role]").textContent = stages[me.role] || me.role;
    arrive(await insist("next", {}));
  });
}
