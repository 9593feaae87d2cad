"use strict";
// The inspector: what came in, how it ended, and the way to put it back.
// Whatever came from outside is only ever set as text.
const LOOK_EACH = 2000, SUM_EACH = 10000, PATIENCE = 15000, STEP = 100, ROWS = 500, HOUR = 3600000;
const STATES = ["open", "answered", "ignored", "dead", "unknown"];
const failed = state => state === "dead" || state === "unknown";
// Everything in the page that has an id.
const $ = new Proxy({}, { get: (_, id) => document.getElementById(id) });
const filled = (node, inside) => { node.append(...inside.filter(one => one)); return node; };
const make = (tag, more, ...inside) => filled(Object.assign(document.createElement(tag), more), inside);
const draw = (tag, more, ...inside) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const name in more) node.setAttribute(name, more[name]);
  return filled(node, inside);
};
// As `ackd events` shows it: what would steer the screen is written as an escape.
const STEERS = /[\0-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\ufeff\u2028-\u202e\u2060-\u206f\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
const plain = (text, lines) => String(text).replace(STEERS, sign => lines && "\n\t".includes(sign) ? sign : sign === "\n" ? "\\n" : `\\u{${sign.codePointAt().toString(16)}}`);
const outside = text => make("bdi", {}, plain(text));
const ends = text => text.length > 26 ? text.slice(0, 6) + "…" + text.slice(-19) : text;

// Times are the daemon's, in the browser's zone.
let ahead = 0;
const now = () => Date.now() + ahead;
const part = (ms, more) => new Intl.DateTimeFormat("en-GB", more).format(ms);
const minute = ms => part(ms, { timeStyle: "short" });
const clock = ms => part(ms, { timeStyle: "medium" });
const day = ms => part(ms, { day: "numeric", month: "short" });
const when = ms => (day(ms) === day(now()) ? "" : day(ms) + " ") + clock(ms);
const time = (ms, text) => make("time", { dateTime: new Date(ms).toISOString() }, text);
const span = ms => {
  const s = Math.max(0, Math.round(ms / 1000)), [many, unit] = s < 120 ? [s, "s"] : s < 7200 ? [s / 60, "min"] : s < 172800 ? [s / 3600, "h"] : [s / 86400, "days"];
  return Math.round(many) + " " + unit;
};
const number = count => count.toLocaleString("en");
const many = (count, one, more = one + "s") => number(count) + " " + (count === 1 ? one : more);
const ms = us => us < 1e6 ? +(us / 1e3).toPrecision(2) + " ms" : +(us / 1e6).toPrecision(2) + " s";

// Asks, and knows since when nobody answers.
let lost = 0;
async function ask(path, form) {
  let answer, text, told = {};
  try {
    answer = await fetch("events/" + path, { signal: AbortSignal.timeout(PATIENCE), ...(form && { method: "POST", body: new URLSearchParams(form) }) });
    text = await answer.text();
  } catch {
    lost ||= now();
    throw Error("ackd does not answer; trying again");
  }
  lost = 0;
  try { told = JSON.parse(text); } catch { told.error = text.slice(0, 300); }
  // The door was locked meanwhile: it asks who comes.
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw Error(plain(told.error || "HTTP " + answer.status));
  if (told.now) ahead = told.now - Date.now();
  return told;
}
// Nothing is touched that is as it was.
const put = (node, words) => { if (node.textContent !== words) node.textContent = words; };
async function trying(work) {
  let words = "";
  try { await work; } catch (error) { words = error.message; }
  put($.trouble, words);
  stand();
}
function say(...lines) {
  $.told.replaceChildren(...lines.map(line => make("span", {}, line)));
  $.hush.hidden = !lines.length;
}
$.hush.onclick = () => say();

// The address says what is looked at.
const SIEVE = ["state", "channel", "all", "find"], view = { id: "" };
const query = more => new URLSearchParams(Object.entries({ ...view, ...more }).filter(([, value]) => value));
// `inside`: whoever reads a life came to it out of the list.
let inside = false;
function go(change, replace) {
  inside = false;
  history[replace ? "replaceState" : "pushState"](null, "", "#" + query(change));
  route();
}
function route() {
  const told = new URLSearchParams(location.hash.slice(1)), before = { ...view };
  for (const name of [...SIEVE, "id"]) view[name] = told.get(name) || "";
  if (SIEVE.some(name => view[name] !== before[name])) {
    showSieve();
    list.start = "";
    list.picked.clear();
    load(true);
  }
  if (view.id !== before.id) open();
}
addEventListener("hashchange", route);

// How it stands, in a sentence.
let hour, bad, last, summed = 0;
async function sum() {
  summed = Date.now();
  const [told, ended, newest] = await Promise.all(["hour", "list?state=dead,unknown&all=1&limit=" + STEP, "list?all=1&limit=1"].map(path => ask(path)));
  told.minutes = told.minutes.filter(([minute]) => minute > told.now - HOUR && minute <= told.now);
  [hour, last] = [told, newest.events[0]];
  const counts = ["dead", "unknown"].map(state => [ended.events.filter(event => event.state === state).length, state]);
  bad = counts.filter(([count]) => count).map(([count, state]) => number(count) + " " + state).join(", ");
  if (bad && ended.older) bad = "At least " + bad;
  plots();
}
function stand() {
  const old = hour?.waiting && hour.oldest ? now() - hour.oldest : 0;
  const words = lost ? `It does not answer since ${when(lost)}.` : hour && [
    ...(hour.rests ? [`Nothing is sent on ${hour.rests}, since the platform takes nothing`] : []),
    hour.waiting ? many(hour.waiting, "waits", "wait") + (old ? ", the oldest for " + span(old) : "") : "Nothing waits",
    last ? `the last event came ${span(now() - last.at)} ago` : "no event has come yet",
  ].join("; ") + ".";
  if (!words) return;
  document.title = (bad ? bad + " · " : "") + "ackd";
  $.stand.className = lost || bad ? "bad" : old > 60000 || hour?.rests ? "warn" : "good";
  put($.bad, bad && !lost ? bad + ": look" : "");
  put($.how, words);
}
setInterval(() => {
  stand();
  for (const node of document.querySelectorAll("[data-due]")) node.textContent = span(node.dataset.due - now());
}, 1000);

// The last hour, drawn. A row: minute, kept, answered, ignored, dead, unknown, refused, acks, their sum, the slowest, the slowest commit.
const ENDS = [["answered", 2], ["ignored", 3], ["unknown", 5], ["dead", 4]], QUIET = "Nothing came in within this hour.";
const total = column => hour.minutes.reduce((sum, row) => sum + row[column], 0);
const most = of => Math.max(0, ...hour.minutes.map(of));
const legend = (place, items) => place.replaceChildren(...items.map(([cls, words]) => make("li", { className: cls }, words)));
function plot(name, title, words, marks, paint) {
  const place = $["plot-" + name], wide = Math.max(200, place.clientWidth), left = 50, foot = 98, head = 8;
  // This minute is shown as long as the others.
  const end = hour.now - hour.now % 60000 + 60000, x = ms => left + (wide - left) * (1 - (end - ms) / HOUR), y = part => foot - (foot - head) * part;
  const svg = draw("svg", { viewBox: `0 0 ${wide} 118`, width: wide, height: 118, role: "img", "aria-labelledby": `${name}-t ${name}-d` }, draw("title", { id: name + "-t" }, title), draw("desc", { id: name + "-d" }, words));
  const put = (x, y, anchor, words) => svg.append(draw("text", { x, y, "text-anchor": anchor }, words));
  marks.forEach((words, n) => {
    const high = y(n / (marks.length - 1 || 1));
    svg.append(draw("path", { class: "grid", d: `M${left} ${high}H${wide}` }));
    put(left - 6, high + 4, "end", words);
  });
  for (let mark = hour.now - hour.now % 900000; x(mark) > left + 14; mark -= 900000) if (x(mark) < wide - 14) put(x(mark), 113, "middle", minute(mark));
  if (marks[1]) paint(svg, x, y, wide / 60 - 2); else put((left + wide) / 2, 55, "middle", words);
  if (hour.began > hour.now - HOUR) {
    const from = x(hour.began), late = from > wide - 70;
    svg.append(draw("path", { class: "began", d: `M${from} 2V${foot}` }));
    put(from + (late ? -4 : 4), 12, late ? "end" : "start", "start " + minute(hour.began));
  }
  place.replaceChildren(svg);
}
function plots() {
  if (!hour) return;
  // A round number that is at least as high as the busiest minute.
  const busiest = most(row => row[2] + row[3] + row[4] + row[5]), ten = 10 ** Math.floor(Math.log10(busiest || 1));
  const top = Math.max(2, [1, 2, 4, 6, 10].find(step => step * ten >= busiest) * ten);
  const counts = ENDS.map(([state, column]) => [state, number(total(column)) + " " + state]);
  legend($.ends, counts);
  plot("ends", "Events by their end, minute by minute", busiest ? counts.map(([, words]) => words).join(", ") + `; ${busiest} in the busiest minute.` : QUIET, busiest ? [0, top / 2, top].map(number) : ["0"], (svg, x, y, broad) => {
    for (const row of hour.minutes) {
      let low = 0;
      for (const [state, column] of ENDS) {
        if (!row[column]) continue;
        // One that failed among a thousand is seen, too.
        const high = low + Math.max(row[column] / top, failed(state) ? .04 : 0);
        svg.append(draw("rect", { class: state, x: x(row[0]), y: y(high), width: broad, height: y(low) - y(high) }));
        low = high;
      }
    }
  });
  const acked = hour.minutes.filter(row => row[7]), slowest = most(row => row[9]), mean = row => Math.max(1, row[8] / row[7]);
  const from = Math.floor(Math.log10(Math.min(...acked.map(mean)))), to = Math.max(from + 1, Math.ceil(Math.log10(slowest)));
  const some = acked.length ? [["mean", "mean " + ms(total(8) / total(7))], ["slowest", "slowest " + ms(slowest)]] : [];
  legend($.acks, some);
  plot("acks", "Time until an acknowledgement, minute by minute; each line is ten times the one below", some.map(([, words]) => words).join(", ") || QUIET, some[0] ? Array.from({ length: to - from + 1 }, (_, n) => ms(10 ** (from + n))) : ["0"], (svg, x, y, broad) => {
    const high = us => y((Math.log10(us) - from) / (to - from));
    let path = "", before = 0;
    for (const row of acked) {
      const middle = x(row[0]) + broad / 2;
      path += `${row[0] - before > 60000 ? "M" : "L"}${middle} ${high(mean(row))}h.1`;
      before = row[0];
      svg.append(draw("circle", { class: "slowest", cx: middle, cy: high(Math.max(1, row[9])), r: 2.5 }));
    }
    svg.append(draw("path", { class: "mean", d: path }));
  });
  const figures = { "waiting now": hour.waiting, "the oldest for": hour.waiting && hour.oldest ? span(hour.now - hour.oldest) : "–", "came in": total(1), refused: total(6), "slowest commit": ms(most(row => row[10])), "connections now": hour.connections };
  $.figures.replaceChildren(...Object.entries(figures).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value.toLocaleString("en")))));
  if (!$.words.open) return;
  const cells = (kind, row) => make("tr", {}, ...row.map(cell => make(kind, {}, cell)));
  $.table.replaceChildren(make("table", {}, make("thead", {}, cells("th", ["minute", "came", "answered", "ignored", "dead", "unknown", "refused", "mean ack", "slowest ack", "slowest commit"])),
    make("tbody", {}, ...hour.minutes.map(row => cells("td", [minute(row[0]), ...row.slice(1, 7).map(number), row[7] ? ms(mean(row)) : "–", ms(row[9]), ms(row[10])])).reverse())));
}
$.words.ontoggle = plots;
let width = 0;
new ResizeObserver(() => { if (width !== $.plots.clientWidth) { width = $.plots.clientWidth; plots(); } }).observe($.plots);

// The list. `next`: how it is to be when nobody's finger is on it.
const list = { rows: new Map(), picked: new Set(), version: "", older: "", start: "", run: 0 };
const badge = state => make("span", { className: "state " + state }, state);
const nodes = () => [...$.list.children];
const focused = () => $.list.querySelector("a[tabindex='0']");
function row(event) {
  const old = list.rows.get(event.id), told = day(now()) + JSON.stringify(event);
  if (old?.told === told) return old;
  const link = old?.link || make("a", { tabIndex: -1 }), node = old?.node || make("li", {}, link), what = make("span", { className: "what" }, outside(event.kind));
  // The reason before the conversation, whose name may be long: on a phone only the beginning is seen.
  filled(what, [event.why && " · ", event.why && outside(event.why), event.twice && " · maybe seen twice", event.why || event.twice ? " · " : " ", outside(ends(plain(event.from)))]);
  node.dataset.id = event.id;
  link.href = "#" + query({ id: event.id });
  link.replaceChildren(badge(event.state), time(event.at, when(event.at)), " ", make("b", {}, plain(event.id)), " ", what);
  node.querySelector("input")?.remove();
  const box = failed(event.state) && make("input", { type: "checkbox", tabIndex: link.tabIndex, ariaLabel: "select " + event.id, onchange: () => { list.picked[box.checked ? "add" : "delete"](event.id); picked(); } });
  if (box) node.prepend(box); else list.picked.delete(event.id);
  return Object.assign(old || {}, { event, told, link, node, box });
}
// Shows these, in this order; nodes that stay are not touched.
function set(events, older) {
  const rows = new Map(events.map(event => [event.id, row(event)]));
  Object.assign(list, { rows, older: older || "", next: null });
  for (const node of nodes()) if (!rows.has(node.dataset.id)) node.remove();
  let next = $.list.firstChild;
  for (const { node } of rows.values()) if (node === next) next = next.nextSibling; else $.list.insertBefore(node, next);
}
function tidy() {
  const { rows, next, older, busy } = list, fresh = next ? next.events.filter(event => !rows.has(event.id)).length : 0, stay = next && new Set(next.events.map(event => event.id));
  for (const [id, { node, link }] of rows) {
    node.className = id === view.id ? "here" : stay && !stay.has(id) ? "gone" : "";
    link.ariaCurrent = id === view.id ? "true" : null;
  }
  // One of them is on the tabulator's way; arrows lead to the others.
  if (rows.size && !focused()) reach(nodes()[0]);
  $.nothing.textContent = rows.size || busy ? "" : SIEVE.some(name => view[name]) ? "No event fits." : "No event has come yet; a message to one of your bots will be the first.";
  $.fresh.hidden = !fresh;
  $.fresh.textContent = (next?.gap ? "Many" : fresh) + " new";
  $.older.hidden = !older || busy;
  $.older.textContent = rows.size < ROWS ? "Older ones" : "Older ones instead";
  $.newest.hidden = !list.start;
  if (!busy) $.stop.hidden = true;
  picked();
}
function reach(node) {
  for (const row of $.list.querySelectorAll("[tabindex='0']")) row.tabIndex = -1;
  for (const part of node.children) part.tabIndex = 0;
}
const events = () => [...list.rows.values()].map(row => row.event);
// Loads from the start, or what is older. A search goes on in steps until it has found enough, or is stopped.
async function load(anew) {
  const run = ++list.run;
  let found = 0, before = anew ? list.start : list.older;
  list.busy = true;
  $.far.textContent = "";
  for (let steps = 0; run === list.run && !(steps && !before); steps++) {
    tidy();
    let told;
    try { told = await ask("list?" + query({ id: "", before, limit: STEP })); } catch (error) { $.trouble.textContent = error.message; break; }
    if (run !== list.run) return;
    set(anew ? told.events : [...events(), ...told.events], told.older);
    if (anew) { list.version = told.version; channels(told.channels); anew = false; }
    found += told.events.length;
    before = told.older;
    if (view.find || told.looked) $.far.textContent = many(list.rows.size, "event fits", "events fit") + "; " + (before ? "looked back to " + when(told.looked || told.events.at(-1).at) : "all were looked at");
    if (!told.looked || found >= STEP) break;
    $.stop.hidden = false;
  }
  if (run === list.run) { list.busy = false; tidy(); }
}
async function look() {
  const { run, rows } = list, told = await ask("list?" + query({ id: "", before: list.start, limit: Math.min(ROWS, Math.max(STEP, rows.size)), seen: list.version }));
  if (told.same || run !== list.run) return;
  list.version = told.version;
  channels(told.channels);
  // How far back the answer reaches; behind that all is as it was.
  const back = told.older ? told.looked ?? told.events.at(-1).at : -Infinity;
  const seen = new Set(told.events.map(event => event.id)), behind = events().filter(event => event.at <= back && !seen.has(event.id));
  const gap = rows.size && told.older && !told.events.some(event => rows.has(event.id));
  const whole = gap || !rows.size || told.events.length + behind.length > ROWS;
  list.next = { events: whole ? told.events : [...told.events, ...behind], older: whole ? told.older : list.older, gap };
  for (const event of told.events) if (rows.has(event.id)) row(event);
  // Nothing moves that is under a finger, has the focus, or is read further down.
  if (!rows.size || $.list.getBoundingClientRect().top > 0 && !$.list.matches(":hover, :focus-within")) showNext();
  tidy();
  summed = Math.min(summed, Date.now() - SUM_EACH + LOOK_EACH);
  if (view.id) await life();
}
const showNext = () => list.next && set(list.next.events, list.next.older);
const toTop = () => scrollTo(0, $.events.offsetTop);
$.fresh.onclick = () => {
  if ($.fresh.hidden) return;
  showNext();
  reach(nodes()[0]);
  tidy();
  toTop();
  focused().focus({ preventScroll: true });
};
function jump(start) {
  list.start = start;
  toTop();
  load(true);
}
$.older.onclick = () => list.rows.size < ROWS ? load() : jump(list.older);
$.newest.onclick = () => jump("");
$.stop.onclick = () => { list.run++; list.busy = false; tidy(); $.older.focus(); };
new IntersectionObserver(([seen]) => {
  if (seen.isIntersecting && !list.busy && list.older && !view.find && list.rows.size < ROWS) load();
}, { rootMargin: "400px" }).observe($.more);

// Filters.
$.states.append(...STATES.map(state => make("label", { className: "chip" }, make("input", { type: "checkbox", value: state }), badge(state))));
const boxes = () => [...$.states.querySelectorAll("input")];
$.states.onchange = () => go({ state: boxes().filter(box => box.checked).map(box => box.value).join() });
$.channel.onchange = () => go({ channel: $.channel.value });
$.all.onchange = () => go({ all: $.all.checked ? "1" : "" });
let typed = 0;
function search(replace) {
  clearTimeout(typed);
  const find = $.find.value.trim();
  if (find !== view.find) go({ find }, replace);
}
$.find.oninput = () => { clearTimeout(typed); typed = setTimeout(search, 400, true); };
$.find.onchange = () => search();
function showSieve() {
  for (const box of boxes()) box.checked = view.state.split(",").includes(box.value);
  if (document.activeElement !== $.find) $.find.value = view.find;
  $.all.checked = view.all;
  channels(list.channels);
}
function channels(names = []) {
  list.channels = names;
  const all = ["", ...new Set([...names, view.channel].filter(name => name))];
  if (all.length !== $.channel.length) $.channel.replaceChildren(...all.map(name => make("option", { value: name }, plain(name) || "all channels")));
  $.channel.value = view.channel;
}

// What is selected is put back or resolved.
function picked() {
  const { picked, rows } = list;
  $.chosen.hidden = !picked.size;
  $.count.textContent = picked.size + " selected";
  for (const [id, { box }] of rows) if (box) box.checked = picked.has(id);
}
$.every.onclick = () => { for (const [id, { box }] of list.rows) if (box) list.picked.add(id); picked(); };
$.none.onclick = () => { list.picked.clear(); picked(); focused()?.focus(); };
$.replay.onclick = () => act("replay", [...list.picked]);
$.resolve.onclick = () => act("resolve", [...list.picked]);
const stateOf = id => shown?.id === id ? shown.state : list.rows.get(id)?.event.state;
function question(...words) {
  ["question", "reason", "yes"].forEach((id, n) => { $[id].textContent = words[n]; });
  $.ask.returnValue = "";
  $.ask.showModal();
  $.no.focus();
  return new Promise(done => { $.ask.onclose = () => done($.ask.returnValue); });
}
$.yes.onclick = () => $.ask.close("yes");
$.no.onclick = () => $.ask.close();
$.close.onclick = () => $.help.close();
$.keys.onclick = () => $.help.showModal();
async function act(what, ids) {
  const several = ids.length > 1, name = several ? many(ids.length, "event") : ids[0], doubts = ids.filter(id => stateOf(id) === "unknown").length;
  const reason = what === "resolve" ? "What is resolved counts as dealt with by you, and cannot be put back afterwards."
    : doubts ? `Nobody knows whether the platform has shown ${several ? doubts + " of them" : "it"}. Put back, it may be seen twice.`
    : several && "They are put back, and tried again.";
  if (!ids.length || reason && !await question(`${$[what].textContent} ${name}?`, reason, $[what].textContent)) return;
  try {
    // The guard of this moment: an ackd that was restarted has another.
    const { guard } = await ask("list?limit=1"), { lines } = await ask(what, { guard, ids: ids.join(" ") });
    const left = lines.filter(line => line.includes(" left alone"));
    say(...(ids.length < 4 ? lines : [`${lines.length - left.length} done, ${left.length} left alone`, ...left.slice(0, 5)]).map(line => plain(line)));
    for (const id of ids) list.picked.delete(id);
    await look();
    await sum();
  } catch (error) {
    say("Not done: " + error.message);
  }
  tidy();
}

// The life of one event.
let shown, from;
const narrow = () => getComputedStyle($.back).display !== "none";
async function open() {
  const reading = !!view.id, { classList } = document.body;
  if (reading && !classList.contains("reading")) from = scrollY;
  classList.toggle("reading", reading);
  tidy();
  if (reading) return trying(life(true));
  const { node, link } = list.rows.get(shown?.id) || {};
  shown = null;
  $["life-name"].textContent = "Choose an event";
  for (const id of ["about", "acts", "steps"]) $[id].replaceChildren();
  if (narrow()) scrollTo(0, from);
  if (node) { reach(node); link.focus({ preventScroll: true }); }
}
async function life(anew) {
  const { id } = view;
  let told;
  try { told = await ask("life?" + new URLSearchParams({ id })); } catch (error) {
    if (lost) throw error;
    told = { error: error.message };
  }
  const words = JSON.stringify({ ...told, now: 0, version: 0, guard: 0 });
  if (id !== view.id || !anew && shown?.words === words) return;
  shown = { id: told.id, state: told.state, words };
  if (anew) $.steps.replaceChildren();
  $["life-name"].replaceChildren(plain(told.id || id), " ", told.state ? badge(told.state) : "");
  $.about.replaceChildren(...(told.error ? [told.error] : [["kind", told.kind], ["conversation", told.conversation], ["platform’s id", told.platform_id]].flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, outside(value))])));
  const may = failed(told.state), acts = $.acts;
  if (may === !acts.firstChild) {
    const had = acts.contains(document.activeElement);
    acts.replaceChildren(...(may ? ["replay", "resolve"] : []).map(what => make("button", { type: "button", onclick: () => act(what, [shown.id]) }, $[what].textContent)));
    if (had) $["life-name"].focus();
  }
  showSteps(told.error ? [] : steps(told));
  if (!anew) return;
  if (narrow()) scrollTo(0, 0);
  $.life.scrollTop = 0;
  $["life-name"].focus({ preventScroll: true });
}
const MOODS = { answered: "good", dead: "bad", unknown: "warn" };
const SAID = { open: "not said yet", answered: "said", dead: "dead: it will not be said", unknown: "unknown: it was sent, but the platform’s answer was lost", skipped: "skipped: nothing waits for it" };
const because = (state, why) => state + (why ? ": " + why : "");
// What happened, each with its moment, in order; and what it waits for.
function steps(told) {
  const all = [], add = (at, mood, what, ...more) => all.push({ at, mood, what, more: more.filter(one => one) });
  const { id, received, kept, kind, replies, state } = told, raw = told.raw && { name: `${told.raw_bytes > 65536 ? "The beginning of its" : "Its"} ${many(told.raw_bytes, "byte")}`, raw: told.raw };
  if (told.ring) add(received, "", "an alarm rang", told.ring);
  else if (kind === "push") add(kept, "", "kept: somebody asked us to say it", raw);
  else {
    add(received, "", "received; its signature was checked before anything else", told.head && { name: "Head of its request", pre: told.head }, raw);
    add(kept, "", `kept as ${id}, and acknowledged once it was: ${kept - received} ms later`);
  }
  const began = reply => Math.min(reply.made, ...reply.attempts.map(attempt => attempt.began));
  if (replies.length && kind !== "push") add(Math.min(...replies.map(began)), "", `heard by the bot, which made ${many(replies.length, "reply", "replies")}`);
  for (const reply of replies) {
    const name = "reply " + reply.part, end = [SAID[reply.state] + (reply.message_id ? "; the platform calls it " + reply.message_id : ""), reply.twice && "maybe twice: an earlier attempt may have been seen, too"];
    add(began(reply), "", name, { said: reply.content }, ...(reply.attempts.length ? [] : end));
    reply.attempts.forEach(({ number, began, ended, status, words }, n) => {
      const final = n === reply.attempts.length - 1;
      add(began, (final && MOODS[reply.state]) || "warn", `${name}, attempt ${number}: ${status ? "HTTP " + status : "no answer"} after ${ended - began} ms`, words, ...(final ? end : []));
    });
  }
  for (const change of told.changes) {
    if (change.ended) add(change.ended, MOODS[change.state], because(change.state, change.why));
    add(change.at, "", change.resolved ? "set aside by the operator" : "put back by the operator, to be tried again");
  }
  if (told.ended) add(told.ended, MOODS[state], because(state, told.why), { dead: "Replay puts it back, to be tried again.", unknown: "Was it not seen? Replay. Was it? Resolve." }[state]);
  all.sort((one, other) => one.at - other.at);
  if (state === "open") all.push({ at: told.held, mood: "wait", what: because(state, told.why), more: [waits(told)] });
  return all;
}
function waits({ rest, due, held, now }) {
  if (rest && !(due > rest.until)) return `its channel rests until ${when(rest.until)}: ${rest.why}`;
  if (due > now) return { due, words: `its next attempt is at ${when(due)}, in ` };
  if (due) return "it is worked on, or is next";
  if (held) return "it is said when somebody writes in its conversation, and ends dead when nobody does for days";
  return "it waits for its turn, behind others of its conversation or channel";
}
function showSteps(all) {
  const old = [...$.steps.children];
  let today = "";
  all.forEach((step, n) => {
    const told = JSON.stringify(step), date = step.at && day(step.at);
    if (old[n]?.told !== told) {
      const node = make("li", { className: step.mood || "", told }, step.at && time(step.at, (date === today ? "" : date + " ") + clock(step.at) + "." + String(step.at % 1000).padStart(3, 0)), make("b", {}, plain(step.what)), ...step.more.map(detail));
      if (old[n]) old[n].replaceWith(node); else $.steps.append(node);
    }
    today = date || today;
  });
  old.slice(all.length).forEach(node => node.remove());
}
function detail(more) {
  if (more.said) return make("blockquote", {}, outside(more.said));
  if (more.due) {
    const left = make("span", {}, span(more.due - now()));
    left.dataset.due = more.due;
    return make("p", {}, more.words, left);
  }
  if (!more.name) return make("p", {}, outside(more));
  let text = more.pre || more.raw;
  try { text = JSON.stringify(JSON.parse(more.raw), null, 2); } catch { /* then as it came */ }
  const pre = make("pre", { tabIndex: 0 }, plain(text, true));
  return make("details", {}, make("summary", {}, more.name), pre, more.raw && make("button", { type: "button", onclick: () => copy(more.raw, pre) }, "Copy as it came"));
}
async function copy(text, pre) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    getSelection().selectAllChildren(pre);
    say("The browser lets no page copy here; it is selected, so press Ctrl+C.");
  }
}
function close() {
  if (inside) history.back(); else go({ id: "" });
  inside = false;
}
$.back.onclick = close;
$.list.onclick = event => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  enter(link.parentNode);
};
function enter(node) {
  // From one life to the next is no step forward, so Back leads to the list.
  const { id } = node.dataset, reading = !!view.id, was = inside;
  reach(node);
  if (id === view.id) return $["life-name"].focus();
  go({ id }, reading);
  inside = was || !reading;
}

// Keys.
const here = () => document.activeElement.closest("#list li") || list.rows.get(view.id)?.node;
function move(by) {
  const all = nodes(), node = here(), next = node ? all[all.indexOf(node) + by] : focused()?.parentNode;
  if (!next) return by > 0 && !$.older.hidden && $.older.focus();
  if (view.id && !document.activeElement.closest("#list")) return enter(next);
  reach(next);
  next.lastChild.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}
const KEYS = {
  j: () => move(1), k: () => move(-1), n: () => $.fresh.click(), "?": () => $.keys.click(),
  "/": () => { if (view.id && narrow()) go({ id: "" }); $.find.focus(); $.find.select(); },
  x: () => here()?.querySelector("input")?.click(),
  r: () => act("replay", list.picked.size ? [...list.picked] : [here()?.dataset.id || view.id].filter(id => failed(stateOf(id)))),
};
addEventListener("keydown", event => {
  const { key, target } = event, typing = target.matches("input:not([type=checkbox]), select");
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (key === "Escape") return typing ? (target.blur(), focused()?.focus()) : view.id ? close() : say();
  if (typing) return key === "Enter" && search();
  const work = KEYS[target.closest("#list") ? { ArrowDown: "j", ArrowUp: "k" }[key] || key : key];
  if (work) { event.preventDefault(); work(); }
});

// Asks again each two seconds, while somebody looks.
let asking;
async function tick() {
  if (asking || document.hidden || list.busy) return;
  asking = true;
  await trying((async () => {
    await look();
    if (Date.now() - summed >= SUM_EACH) await sum();
  })());
  asking = false;
}
document.onvisibilitychange = tick;
setInterval(tick, LOOK_EACH);
route();
trying(sum());
