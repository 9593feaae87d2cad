//! Whether everybody can use the page: rules of our own, and those of axe where its file is there.

use crate::shared::chromium::Browser;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Faults, one a line: controls without a name, small ones, text that is hard to see, headings out of order, landmarks and
/// language that are missing.
const RULES: &str = r#"
const faults = [], seen = node => node.checkVisibility({ opacityProperty: false, visibilityProperty: true });
const parse = text => { const n = text.match(/[\d.]+/g).map(Number); return { rgb: n.slice(0, 3), a: n.length > 3 ? n[3] : 1 }; };
const over = (top, below) => top.rgb.map((n, i) => n * top.a + below[i] * (1 - top.a));
const light = rgb => rgb.map(n => (n /= 255) <= .04045 ? n / 12.92 : ((n + .055) / 1.055) ** 2.4)
  .reduce((sum, n, i) => sum + n * [.2126, .7152, .0722][i], 0);
const ground = node => {
  if (!node) return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
  const own = parse(getComputedStyle(node).backgroundColor);
  return own.a === 1 ? own.rgb : over(own, ground(node.parentElement));
};
const told = node => (node.id || node.className || node.localName) + ' "' + (node.textContent || '').trim().slice(0, 40) + '"';
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const node = walk.currentNode.parentElement;
  if (!walk.currentNode.data.trim() || !seen(node) || node.closest('title, desc, noscript')) continue;
  let opacity = 1;
  for (let up = node; up; up = up.parentElement) opacity *= +getComputedStyle(up).opacity;
  const style = getComputedStyle(node), behind = ground(node);
  const colour = parse(node.closest('svg') ? style.fill : style.color);
  const ink = over({ rgb: colour.rgb, a: colour.a * opacity }, behind);
  const [low, high] = [light(ink), light(behind)].sort((a, b) => a - b), ratio = (high + .05) / (low + .05);
  if (ratio < 4.5) faults.push('contrast ' + ratio.toFixed(2) + ': ' + told(node));
}
for (const node of document.querySelectorAll('a, button, input, select, summary, [tabindex="0"]')) {
  if (!seen(node)) continue;
  const by = (node.getAttribute('aria-labelledby') || '').split(' ').map(id => document.getElementById(id)?.textContent || '').join('');
  const name = node.ariaLabel || by || [...(node.labels || [])].map(l => l.textContent).join('') || (node.localName === 'select' ? '' : node.textContent);
  if (!name.trim() && node.localName !== 'pre') faults.push('no name: ' + node.outerHTML.slice(0, 80));
  const box = (node.closest('label') || node).getBoundingClientRect();
  if (node.matches('button, label input, select') && (box.width < 24 || box.height < 24)) faults.push('small: ' + told(node));
}
let level = 0;
for (const head of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
  if (!seen(head)) continue;
  const now = +head.localName[1];
  if (now > level + 1) faults.push('heading out of order: ' + told(head));
  level = now;
}
if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
for (const mark of ['main', 'header', 'nav[aria-label]']) if (document.querySelectorAll(mark).length !== 1) faults.push('not one ' + mark);
for (const part of document.querySelectorAll('section')) if (!document.getElementById(part.getAttribute('aria-labelledby'))) faults.push('a section without a name');
if (document.documentElement.lang !== 'en') faults.push('no language');
if (!document.title) faults.push('no title');
const ids = [...document.querySelectorAll('[id]')].map(node => node.id);
if (new Set(ids).size !== ids.length) faults.push('an id is there twice');
if (document.documentElement.scrollWidth > innerWidth) faults.push('it has to be pushed sideways: ' + document.documentElement.scrollWidth);
return faults;
"#;

/// What is shown now breaks no rule.
pub fn all_can_use(browser: &Browser, what: &str) {
    assert_eq!(browser.run(RULES), json!([]), "{what}");
    let Some(axe) = axe() else {
        return println!("SKIPPED: axe on {what}: no file in ACKD_AXE or target/axe.min.js; tests/run fetches it");
    };
    browser.run(&std::fs::read_to_string(axe).unwrap());
    let script = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then(told => done(
        told.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
            .map(v => v.id + ': ' + v.nodes.map(node => node.html.slice(0, 200) + ' ' + node.failureSummary).join(' | '))
    ), error => done([String(error)]))";
    let told = browser.post("/execute/async", &json!({ "script": script, "args": [] }));
    assert_eq!(told, json!([]), "axe on {what}");
}

fn axe() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("axe.min.js");
    let named = std::env::var_os("ACKD_AXE").map(PathBuf::from);
    named.or(Some(beside)).filter(|file| file.is_file())
}
