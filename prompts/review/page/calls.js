// Talks to the server. A decision is sent again until the server has answered it; its `origin`
// keeps it from counting twice.
const RETRY_MS = 700;
const pause_ms = (ms) => new Promise((done) => setTimeout(done, ms));
class Refused extends Error {
  constructor(answer, status) {
    super(answer.message || say.crash);
    Object.assign(this, { kind: answer.kind || "", status });
  }
}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const answer = await fetch(`/review/${path}`, { credentials: "same-origin", ...options });
  const content = await answer.json().catch(() => ({}));
  if (answer.status === 401) throw new Refused({ kind: "door", message: say.logged_out }, 401);
  if (!answer.ok || content.refused) throw new Refused(content.refused || content, answer.status);
  return content;
}

async function insist(path, body) {
  for (let waited = false; ; waited = true) {
    try {
      const answer = await ask(path, body);
      if (waited) note(say.back);
      return answer;
    } catch (error) {
      if (error instanceof Refused) throw error;
      note(say.waiting, "bad");
      await pause_ms(RETRY_MS);
    }
  }
}

const unique = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// What comes next is loaded ahead, with its recordings: {clip of now, item}.
const ahead = { after: null, item: null };
const skeletons = new Map();
async function skeletonOf(clip) {
  if (!skeletons.has(clip)) {
    if (skeletons.size > 6) skeletons.delete(skeletons.keys().next().value);
    const asked = ask(`skeleton?clip=${encodeURIComponent(clip)}`);
    // What failed is asked for again the next time: the login may have ended, or the server.
    skeletons.set(clip, asked.catch(() => { skeletons.delete(clip); return null; }));
  }
  return skeletons.get(clip);
}

async function lookAhead(clip) {
  Object.assign(ahead, { after: clip, item: null });
  let item;
  try {
    ({ item } = await ask("ahead", { clip }));
  } catch { return; }
  if (ahead.after !== clip || !item) return;
  ahead.item = item;
  if (item.skeleton) skeletonOf(item.clip);
  item.views.forEach((view) => {
    const sources = view.kind === "frames" ? view.frames : [view.src];
    sources.filter(Boolean).forEach((source) => fetch(source).then((found) => found.blob()).catch(() => {}));
  });
}
