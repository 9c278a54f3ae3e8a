"use strict";
// What a filter says: words that must occur, and comparisons such as  gain > 3  or  "log p(x) change" <= -2.
// parseFilter(text, columns) gives { tests, problems }: functions of a row, and sentences about what it did
// not understand. Nothing here knows the page, so it can be tried alone.

const SIGNS = { "=": "=", "==": "=", "!=": "!=", "≠": "!=", "<": "<", ">": ">", "<=": "<=", "≤": "<=",
  "=<": "<=", ">=": ">=", "≥": ">=", "=>": ">=" };
const TOKEN = /"([^"]*)"?|'([^']*)'?|(<=|>=|!=|==|=<|=>|[<>=≤≥≠])|([^\s"'<>=!≤≥≠]+|!)/gu;

function parseFilter(text, columns) {
  const tokens = [...text.matchAll(TOKEN)].map(([all, double, single, sign, word]) => ({
    sign: sign && SIGNS[sign], text: double ?? single ?? word ?? all, quoted: (double ?? single) !== undefined,
  }));
  const [tests, problems] = [[], []];
  let words = [];
  for (let i = 0; i < tokens.length; i++) {
    if (!tokens[i].sign) { words.push(tokens[i]); continue; }
    const { column, rest, named } = nameBefore(words, columns);
    words = [];
    for (const word of rest) tests.push(hasWord(word.text));
    const sign = tokens[i].sign;
    const said = `${named} ${sign}`.trim();
    const doubled = tokens[i + 1]?.sign;
    while (tokens[i + 1]?.sign) i++;
    // The name of the next comparison is not the value of this one.
    const next = tokens[i + 1] && tokens[i + 2]?.sign && findColumn(tokens[i + 1].text, columns) >= 0;
    const value = next ? undefined : tokens[i + 1];
    if (value) i++;
    if (column < 0) problems.push(unknownName(named, columns));
    else if (!value || doubled) problems.push(`“${said}” lacks the value to compare with.`);
    else addComparison(columns, column, sign, value, said, tests, problems);
  }
  for (const word of words) if (!/^(and|&+|,|;)$/i.test(word.text) || word.quoted) tests.push(hasWord(word.text));
  return { tests, problems };
}

// The column that the words before a sign name: the longest run of them that is a name; the others are words.
function nameBefore(words, columns) {
  for (let from = 0; from < words.length; from++) {
    const name = words.slice(from).map((w) => w.text).join(" ").replace(/^[,;&]+|[,;]+$/g, "");
    const column = findColumn(name, columns);
    if (column >= 0) return { column, rest: proper(words.slice(0, from)), named: name };
  }
  const named = words.length ? words[words.length - 1].text : "";
  return { column: -1, rest: proper(words.slice(0, -1)), named };
}

function proper(words) {
  return words.filter((w) => w.quoted || !/^(and|&+|,|;)$/i.test(w.text));
}

function findColumn(name, columns) {
  const plain = (text) => text.toLowerCase().replace(/[\s_,]+/g, " ").trim();
  const wanted = plain(name);
  const exact = columns.findIndex((c) => [c.heading, c.key].some((n) => plain(n) === wanted));
  if (exact >= 0 || wanted.length < 3) return exact;
  const near = columns.flatMap((c, i) => ([c.heading, c.key].some((n) => plain(n).startsWith(wanted)) ? [i] : []));
  return near.length === 1 ? near[0] : -1;
}

function unknownName(name, columns) {
  const names = columns.filter((c) => !c.drawn).map((c) => c.heading);
  if (!name) return "A comparison needs the name of a column before its sign.";
  return `No column is named “${name}”; there are ${names.join(", ")}.`;
}

function addComparison(columns, column, sign, value, said, tests, problems) {
  const wanted = value.text.replace(/[,;]+$/, "");
  const percent = /^[-+]?[\d.]+%$/.test(wanted);
  const number = percent ? Number(wanted.slice(0, -1)) / 100 : Number(wanted.replace(/^\+/, ""));
  const missing = /^(none|empty|nothing)$/i.test(wanted) && !value.quoted || wanted === "";
  if (columns[column].number && !missing && !Number.isFinite(number)) {
    problems.push(`“${said} ${wanted}”: ${columns[column].heading} holds numbers, “${wanted}” is none.`);
    return;
  }
  tests.push((row) => {
    const cell = row[column];
    if (missing) return sign === "!=" ? cell !== null && cell !== "" : cell === null || cell === "";
    if (cell === null) return sign === "!=";
    const text = typeof cell === "boolean" ? (cell ? "yes" : "no") : String(cell).toLowerCase();
    const word = typeof cell === "boolean" ? wanted.toLowerCase().replace("true", "yes").replace("false", "no")
      : wanted.toLowerCase();
    const [x, y] = typeof cell === "number" ? [cell, number] : [text, word];
    return { "<=": x <= y, ">=": x >= y, "!=": x !== y, "=": x === y, "<": x < y, ">": x > y }[sign];
  });
}

function hasWord(word) {
  const wanted = word.toLowerCase();
  return (row, text) => text.includes(wanted);
}
