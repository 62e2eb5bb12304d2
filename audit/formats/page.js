"use strict";
(function () {
  var search = document.getElementById("q");
  var boxes = Array.from(document.querySelectorAll("input[name=show]"));
  var count = document.getElementById("count");
  var rules = Array.from(document.querySelectorAll("details.rule"));
  var rows = rules.map(function (rule) {
    return Array.from(rule.querySelectorAll("tr[data-outcome]"));
  });

  function words(text) {
    return text.toLowerCase().split(/\s+/).filter(Boolean);
  }

  function apply(write) {
    var wanted = words(search.value);
    var shown = boxes.filter(function (box) { return box.checked; }).map(function (box) { return box.value; });
    var found = 0;
    rules.forEach(function (rule, index) {
      var head = rule.dataset.text;
      var visible = 0;
      rows[index].forEach(function (row) {
        var text = head + " " + row.textContent.toLowerCase();
        var fits = shown.indexOf(row.dataset.outcome) >= 0 && wanted.every(function (word) { return text.indexOf(word) >= 0; });
        row.hidden = !fits;
        visible += fits ? 1 : 0;
      });
      var silent = rows[index].length === 0 && shown.indexOf("silent") >= 0 &&
        wanted.every(function (word) { return head.indexOf(word) >= 0; });
      rule.hidden = visible === 0 && !silent;
      if (wanted.length && visible) { rule.open = true; }
      found += visible;
    });
    document.querySelectorAll("section.theme").forEach(function (section) {
      section.hidden = !section.querySelector("details.rule:not([hidden])");
    });
    count.textContent = found + (found === 1 ? " finding" : " findings");
    if (write) {
      var state = new URLSearchParams();
      if (search.value) { state.set("q", search.value); }
      if (shown.length < boxes.length) { state.set("show", shown.join(" ")); }
      history.replaceState(null, "", "#" + state);
    }
  }

  function all() {
    search.value = "";
    boxes.forEach(function (box) { box.checked = true; });
    apply(false);
  }

  function read() {
    var target = document.getElementById(location.hash.slice(1));
    if (target) {
      // A link within the page: what it names must be there to be seen.
      all();
      if (target.tagName === "DETAILS") { target.open = true; }
      target.scrollIntoView();
      return;
    }
    var state = new URLSearchParams(location.hash.slice(1));
    search.value = state.get("q") || "";
    if (state.has("show")) {
      var shown = words(state.get("show"));
      boxes.forEach(function (box) { box.checked = shown.indexOf(box.value) >= 0; });
    }
    apply(false);
  }

  search.addEventListener("input", function () { apply(true); });
  boxes.forEach(function (box) { box.addEventListener("change", function () { apply(true); }); });
  window.addEventListener("hashchange", read);
  // Printed, nothing is folded away; what the filter hides, the style sheet shows.
  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = rules.filter(function (rule) { return !rule.open; });
    folded.forEach(function (rule) { rule.open = true; });
  });
  window.addEventListener("afterprint", function () {
    folded.forEach(function (rule) { rule.open = false; });
  });
  document.querySelector(".controls").hidden = false;
  read();
})();
