// Keys, light and dark, charts that read out, parts that are loaded late, and following a session that runs.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);

// light and dark
$("#theme").addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try { localStorage.setItem("theme", next); } catch { /* not kept */ }
});

// keys
const keys = $("#keys");
$("#help").addEventListener("click", () => keys.showModal());
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const link = { j: '[data-key="j"]', k: '[data-key="k"]', u: '[data-key="u"]', s: '[data-key="s"]' }[event.key];
  if (link) {
    const found = $(link);
    if (found) location.href = found.href;
  } else if (event.key === "/") {
    const box = $('input[type="search"]');
    if (box) { box.focus(); box.select(); event.preventDefault(); }
  } else if (event.key === "t") {
    $("#theme").click();
  } else if (event.key === "o") {
    const all = [...document.querySelectorAll("main details")];
    const open = all.some((one) => !one.open);
    all.forEach((one) => { one.open = open; });
  } else if (event.key === "?") {
    keys.showModal();
  }
});

// charts: a line under the pointer and the values of that day
function read(plot) {
  if (!plot.dataset.points) return;
  const data = JSON.parse(plot.dataset.points);
  const line = document.createElement("i");
  line.className = "cursor";
  const box = document.createElement("p");
  box.className = "readout";
  box.hidden = line.hidden = true;
  plot.append(line, box);
  const home = plot.closest("[data-decision]");
  let place = 0;
  const show = (event) => {
    const frame = plot.getBoundingClientRect();
    const x = (event.clientX - frame.left) / frame.width;
    place = data.x.reduce((best, at, i) => (Math.abs(at - x) < Math.abs(data.x[best] - x) ? i : best), 0);
    line.hidden = box.hidden = false;
    line.style.left = `${data.x[place] * 100}%`;
    box.style.left = data.x[place] > 0.5 ? "" : `calc(${data.x[place] * 100}% + 10px)`;
    box.style.right = data.x[place] > 0.5 ? `calc(${(1 - data.x[place]) * 100}% + 10px)` : "";
    const values = data.names.map((name, i) => {
      const value = data.values[i][Math.min(place, data.values[i].length - 1)];
      return `${name} ${value >= 0 ? "+" : "\u2212"}${Math.abs(value).toFixed(1)}%`;
    });
    const number = data.decisions[place];
    box.textContent = [data.days[place], ...values, number && home ? `decision ${number}: click` : ""].filter(Boolean).join("\n");
  };
  plot.addEventListener("pointermove", show);
  plot.addEventListener("pointerleave", () => { line.hidden = box.hidden = true; });
  if (home) {
    plot.classList.add("leads");
    plot.addEventListener("click", () => {
      if (data.decisions[place]) location.href = home.dataset.decision + data.decisions[place];
    });
  }
}
document.querySelectorAll(".plot").forEach(read);

// parts that take a moment: the equity of the baselines
document.querySelectorAll("[data-fragment]").forEach(async (place) => {
  const answer = await fetch(place.dataset.fragment);
  const text = answer.ok ? await answer.text() : "";
  if (text) {
    place.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    place.querySelectorAll(".plot").forEach(read);
  }
});

// a table that is wider than its place scrolls to where the reader is
const passage = $("#passage");
if (passage) passage.closest(".document").scrollTop = passage.offsetTop - 120;

// exactly two sessions are compared
const pick = $(".pick");
if (pick) {
  const button = $("#compare");
  const ticked = () => pick.querySelectorAll("input:checked").length;
  const update = () => { button.disabled = ticked() !== 2; };
  pick.addEventListener("change", update);
  update();
}

// filters that are left empty stay out of the address
document.querySelectorAll("form.filters, form.search").forEach((form) => form.addEventListener("submit", () => {
  form.querySelectorAll("input, select").forEach((field) => { if (!field.value) field.disabled = true; });
}));
addEventListener("pageshow", () => {
  document.querySelectorAll("form.filters :disabled, form.search :disabled").forEach((field) => { field.disabled = false; });
});

// an index that is being made: ask again
if ($("#indexing")) setTimeout(() => location.reload(), 1000);

// a session that runs: what is new, every second
const live = $("#live");
if (live) {
  const lines = $("#live-lines");
  let after = Number(live.dataset.after);
  let quiet = 0;
  const follow = async () => {
    let news;
    try {
      news = await (await fetch(`${live.dataset.news}?after=${after}`)).json();
    } catch {
      $("#live-state").textContent = "the viewer does not answer";
      return void setTimeout(follow, 3000);
    }
    quiet = news.last === after ? quiet + 1 : 0;
    after = news.last;
    $("#live-count").textContent = news.count;
    $("#live-state").textContent = news.finished ? "finished" : quiet > 20 ? "nothing new for a while; it may have been stopped" : "the desk is at work";
    live.classList.toggle("at-work", !news.finished && quiet <= 20);
    if (news.day) $("#live-equity").textContent = `· ${news.day}, equity ${Math.round(news.equity).toLocaleString("en")}`;
    if (news.lines.length) {
      const low = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
      lines.append(`${news.lines.join("\n")}\n`);
      if (lines.textContent.length > 60000) lines.textContent = lines.textContent.slice(-40000);
      if (low) lines.scrollTop = lines.scrollHeight;
    }
    if (news.decided || news.finished) await refresh(news.finished);
    if (!news.finished) setTimeout(follow, news.last < news.count ? 50 : 1000);
  };
  const refresh = async (finished) => {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const parts = finished ? ["main"] : ["#timeline", ".figures", "#equity", "#weights", "#record"];
    for (const part of parts) {
      const now = $(part), then = $(part, page);
      if (now && then) now.replaceWith(then);
    }
    document.querySelectorAll(".plot").forEach((plot) => { if (!$(".cursor", plot)) read(plot); });
  };
  follow();
}
