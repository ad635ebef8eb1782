"use strict";
(() => {
  const boot = JSON.parse(document.getElementById("boot").textContent);
  const byId = (id) => document.getElementById(id);
  const controls = new Map(
    [...document.querySelectorAll(".control")].map((box) => [box.dataset.key, control(box)]),
  );
  const drawn = {}; // the answer that each plot shows, to draw it again in another width
  let running = null;
  let timer = 0;

  // One control: a field, a list or a slider, and the message below it.
  function control(box) {
    const field = box.querySelector("input[type=text], select");
    const slider = box.querySelector("input[type=range]");
    const steps = slider ? slider.dataset.steps.split(" ") : [];
    const output = box.querySelector("output");
    const message = box.querySelector(".mistake");
    const own = boot.own[box.dataset.key];
    const show = (text) => {
      if (field) field.value = text;
      if (output) output.value = text;
      if (slider) {
        const place = nearest(steps, text);
        if (place >= 0) slider.value = place;
        slider.setAttribute("aria-valuetext", text);
      }
      box.classList.toggle("changed", text !== own);
    };
    const value = () => (field ? field.value.trim() : steps[Number(slider.value)]);
    const told = (text) => {
      message.textContent = text;
      message.hidden = !text;
      if (field) field.toggleAttribute("aria-invalid", false);
      if (field && text) field.setAttribute("aria-invalid", "true");
    };
    if (slider) {
      slider.addEventListener("input", () => {
        show(steps[Number(slider.value)]);
        moved(60);
      });
    }
    if (field) field.addEventListener(field.tagName === "SELECT" ? "change" : "input", () => {
      if (field.tagName !== "SELECT" && slider) {
        const place = nearest(steps, field.value);
        if (place >= 0) slider.value = place;
        slider.setAttribute("aria-valuetext", field.value);
      }
      box.classList.toggle("changed", field.value.trim() !== own);
      moved(field.tagName === "SELECT" ? 0 : 350);
    });
    return { own, show, value, told };
  }

  // A number as people type it; NaN where it is none.
  function number(text) {
    const found = /^([0-9][0-9_]*(?:\.[0-9]+)?)(?:e([0-9]+))?([kKMBT]?)$/i.exec(text.trim());
    if (!found) return NaN;
    const unit = { "": 0, k: 3, K: 3, M: 6, m: NaN, B: 9, b: NaN, T: 12, t: NaN }[found[3]];
    return Number(found[1].replaceAll("_", "")) * 10 ** (unit + Number(found[2] || 0));
  }

  function nearest(steps, text) {
    const wanted = number(text);
    if (Number.isNaN(wanted)) return -1;
    let best = 0;
    steps.forEach((step, place) => {
      if (Math.abs(number(step) - wanted) < Math.abs(number(steps[best]) - wanted)) best = place;
    });
    return best;
  }

  function state() {
    const found = new URLSearchParams();
    for (const [key, one] of controls) if (one.value() !== one.own) found.set(key, one.value());
    return found;
  }

  function address(query) {
    const text = query.toString();
    if (boot.grid) return `#${text}`;
    return `${location.pathname}${text ? `?${text}` : ""}`;
  }

  function stated() {
    const text = boot.grid ? location.hash.slice(1) : location.search;
    for (const one of controls.values()) one.show(one.own);
    for (const [key, value] of new URLSearchParams(text)) controls.get(key)?.show(value);
    moved(0);
  }

  function moved(delay) {
    clearTimeout(timer);
    timer = setTimeout(update, delay);
  }

  function busy(...names) {
    for (const name of names) for (const one of document.querySelectorAll(name)) one.setAttribute("aria-busy", "true");
  }

  // Asks for the bill, then for what takes longer. What was asked before is dropped.
  async function update() {
    running?.abort();
    const mine = (running = new AbortController());
    const query = state();
    history.replaceState(null, "", address(query));
    const started = performance.now();
    busy("[data-section]", ".plot", "#summary");
    try {
      for (const part of ["bill", "whole", "levers"]) {
        const answer = await ask(part, query, mine.signal);
        if (mine !== running) return;
        if (answer.mistake) {
          refused(answer);
          return;
        }
        if (part === "bill") accepted();
        show(answer);
        const passed = `${Math.round(performance.now() - started)} ms`;
        byId("time").textContent = {
          bill: `Bill and week after ${passed}. Recommendation, break-even and savings follow.`,
          whole: `All but the savings after ${passed}. Savings follow.`,
          levers: `Answered in ${passed}.`,
        }[part];
        // Said once, when nothing that a listener waits for is missing.
        if (part === "whole") byId("status").textContent = answer.summary;
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      refused({ mistake: "The server does not answer. Start it again: breakeven serve", problems: [] });
    }
  }

  async function ask(part, query, signal) {
    if (boot.grid) return point(part);
    const response = await fetch(`api/${part}?${query}`, { signal, cache: "no-store" });
    return response.json();
  }

  // A point of the grid: texts that several points share are stored once.
  function point(part) {
    const key = boot.grid.axes.map((axis) => axis.values.indexOf(controls.get(axis.key).value())).join(",");
    const told = (value) => typeof value === "number"
      ? boot.grid.shared[value]
      : Object.fromEntries(Object.entries(value).map(([name, one]) => [name, told(one)]));
    return told(boot.grid.points[key][part]);
  }

  function accepted() {
    byId("mistake").hidden = true;
    for (const one of controls.values()) one.told("");
  }

  function refused(answer) {
    accepted();
    const others = [];
    for (const problem of answer.problems) {
      const one = controls.get(problem.control);
      if (one) one.told(problem.message);
      else others.push(problem.message);
    }
    const text = answer.problems.length ? others.join("\n") : answer.mistake;
    byId("mistake").textContent = text || "Not estimated: see the fields that are marked.";
    byId("mistake").hidden = false;
    byId("time").textContent = "The results below are of the last values that could be estimated.";
    for (const one of document.querySelectorAll("[aria-busy]")) one.removeAttribute("aria-busy");
  }

  function show(answer) {
    for (const [name, html] of Object.entries(answer.sections)) {
      const place = document.querySelector(`[data-section="${name}"]`);
      if (!place) continue;
      place.innerHTML = html; // escaped where it was made
      place.removeAttribute("aria-busy");
    }
    if (answer.figures) {
      byId("figures").replaceChildren(...answer.figures.map(([name, value]) => {
        const box = document.createElement("div");
        box.append(element("dt", name), element("dd", value));
        return box;
      }));
      byId("bar").textContent = answer.figures.slice(0, 3).map(([name, value]) => `${name} ${value}`).join(" · ");
      byId("heading").replaceChildren(...answer.heading.map((line) => element("p", line)));
      byId("stack-file").textContent = answer.stackFile;
    }
    if (answer.summary) {
      byId("summary").textContent = answer.summary;
      byId("summary").removeAttribute("aria-busy");
      byId("findings").replaceChildren(...answer.findings.map((line) => {
        const paragraph = document.createElement("p");
        paragraph.append(element("strong", line));
        return paragraph;
      }));
    }
    for (const name of ["volume", "week"]) if (answer[name]) plot(name, answer[name]);
  }

  function element(name, text) {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  // ---- plots -------------------------------------------------------------------------------

  function svg(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function plot(name, data) {
    drawn[name] = data;
    const place = document.querySelector(`[data-plot="${name}"]`);
    const width = Math.max(280, place.clientWidth);
    const [picture, legend] = (name === "volume" ? volumePlot : weekPlot)(data, width);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", data.description);
    place.replaceChildren(picture, legend);
    place.removeAttribute("aria-busy");
    place.nextElementSibling.textContent = data.description;
  }

  function frame(width, height, x, y, xs, ys, heading) {
    const box = { left: 58, right: width - 12, top: 26, bottom: height - 34 };
    const right = (value) => box.left + ((box.right - box.left) * value) / x;
    const up = (value) => box.bottom - ((box.bottom - box.top) * value) / y;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
    picture.append(svg("text", { x: 0, y: 14 }, heading));
    for (const [value, label] of ys) {
      picture.append(svg("path", { class: "s-grid", d: `M${box.left} ${up(value)}H${box.right}` }));
      picture.append(svg("text", { x: box.left - 8, y: up(value) + 4, "text-anchor": "end" }, label));
    }
    for (const [value, label] of xs) {
      picture.append(svg("text", { x: right(value), y: height - 16, "text-anchor": "middle" }, label));
    }
    return { picture, right, up, box };
  }

  function ticks(most, count) {
    if (!(most > 0)) return [0];
    const rough = most / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
    return Array.from({ length: Math.floor(most / step) + 1 }, (_, place) => place * step);
  }

  const short = (value) => {
    for (const [unit, factor] of [["B", 1e9], ["M", 1e6], ["k", 1e3]]) {
      if (value >= factor) return `${Number((value / factor).toPrecision(3))}${unit}`;
    }
    return String(Number(value.toPrecision(3)));
  };

  const line = (xs, ys, right, up) => xs.map((x, place) => `${place ? "L" : "M"}${right(x).toFixed(1)} ${up(ys[place]).toFixed(1)}`).join("");
  const steps = (xs, ys, right, up) => xs.map((x, place) => place
    ? `V${up(ys[place]).toFixed(1)}H${right(x).toFixed(1)}`
    : `M${right(x).toFixed(1)} ${up(ys[place]).toFixed(1)}`).join("");

  function key(kind, name) {
    const item = document.createElement("li");
    const sample = svg("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" });
    sample.append(kind.startsWith("s-")
      ? svg("path", { class: kind, d: "M0 5H26" })
      : svg("rect", { class: kind, width: 26, height: 10 }));
    item.append(sample, name);
    return item;
  }

  function legendOf(items) {
    const list = document.createElement("ul");
    list.className = "legend";
    list.append(...items.map(([kind, name]) => key(kind, name)));
    return list;
  }

  function volumePlot(data, width) {
    const end = data.volumes.at(-1);
    const most = 1.08 * Math.max(...data.own, ...data.high, data.planned[1], ...data.apis.flatMap((api) => api.monthly));
    const shown = ticks(end, width < 500 ? 3 : 6).map((value) => [value, value ? short(value) : "0"]);
    const dollars = ticks(most, 5).map((value) => [value, short(value)]);
    const { picture, right, up, box } = frame(width, 340, end, most, shown, dollars, "USD per month");
    picture.append(svg("text", { x: box.right, y: 336, "text-anchor": "end" }, "tokens per day"));
    const back = [...data.volumes].reverse();
    const band = line(data.volumes, data.low, right, up) + line(back, [...data.high].reverse(), right, up).replace("M", "L") + "Z";
    picture.append(svg("path", { class: "f-band", d: band }));
    picture.append(svg("path", { class: "s-here", d: `M${right(data.planned[0])} ${box.top}V${box.bottom}` }));
    picture.append(svg("path", { class: "s-own", d: steps(data.volumes, data.own, right, up) }));
    for (const api of data.apis) {
      picture.append(svg("path", { class: api.sameModel ? "s-hosted" : "s-api", d: line(data.volumes, api.monthly, right, up) }));
      if (api.crossing) {
        const [x, y] = api.crossing;
        picture.append(svg("circle", { class: "s-ink", cx: right(x), cy: up(y), r: 5 }));
        const toLeft = right(x) > width / 2;
        picture.append(svg("text", { class: "strong", x: right(x) + (toLeft ? -9 : 9), y: up(y) - 9, "text-anchor": toLeft ? "end" : "start" }, `break-even ${short(x)}`));
      }
    }
    picture.append(svg("rect", { class: "f-ink", x: right(data.planned[0]) - 4, y: up(data.planned[1]) - 4, width: 8, height: 8 }));
    return [picture, legendOf([
      ["s-own", "Self-hosted, fully loaded"], ["f-band", "capacity's band"], ["f-ink", "this stack"],
      ...data.apis.map((api) => [api.sameModel ? "s-hosted" : "s-api", `${api.sameModel ? "Same model" : "API in use"}: ${api.name}`]),
    ])];
  }

  function weekPlot(data, width) {
    const hours = data.paid.length;
    const most = 1.08 * Math.max(...data.paid, ...data.peak, ...data.replicas, 1);
    const apart = width < 500 ? Math.ceil(hours / 24 / 4) : Math.ceil(hours / 24 / 10);
    const days = Array.from({ length: Math.floor(hours / 24 / apart) + 1 }, (_, place) => [place * apart * 24, String(place * apart)]);
    const counts = ticks(most, 5).filter(Number.isInteger).map((value) => [value, String(value)]);
    const { picture, right, up, box } = frame(width, 300, hours, most, days, counts, "replicas");
    picture.append(svg("text", { x: box.right, y: 296, "text-anchor": "end" }, "days"));
    const edges = Array.from({ length: hours + 1 }, (_, hour) => hour);
    const stairs = (values) => steps(edges, [values[0], ...values], right, up);
    const area = (values) => `${stairs(values)}V${up(0)}H${right(0)}Z`;
    picture.append(svg("path", { class: "f-idle", d: area(data.paid) }));
    picture.append(svg("path", { class: "f-own", d: area(data.demand) }));
    picture.append(svg("path", { class: "s-peak", d: stairs(data.peak) }));
    picture.append(svg("path", { class: "s-ink", d: stairs(data.replicas) }));
    return [picture, legendOf([
      ["f-own", "Serving requests"], ["f-idle", "Idle, but paid for"],
      ["s-peak", "Peak minute of the hour"], ["s-ink", "Replicas"],
    ])];
  }

  // ---- buttons -----------------------------------------------------------------------------

  async function copy(text, button, done) {
    const name = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = done;
    } catch {
      button.textContent = "Not allowed here: copy it by hand";
    }
    setTimeout(() => { button.textContent = name; }, 2000);
  }

  byId("link").addEventListener("click", (event) => copy(location.href, event.target, "Link copied"));
  byId("copy").addEventListener("click", (event) => copy(byId("stack-file").textContent, event.target, "Copied"));
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("controls").addEventListener("reset", (event) => {
    event.preventDefault();
    for (const one of controls.values()) one.show(one.own);
    moved(0);
  });
  let resizing = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(resizing);
    resizing = requestAnimationFrame(() => Object.entries(drawn).forEach(([name, data]) => plot(name, data)));
  }).observe(byId("results"));
  window.addEventListener("popstate", stated);
  window.addEventListener("hashchange", () => { if (boot.grid && location.hash.slice(1) !== state().toString()) stated(); });
  stated();
})();
