#pragma once

#include <string_view>

namespace kobolt {

/// The page's style sheet. Series colours differ in lightness as well as in hue, so that readers
/// who see hues alike can tell them apart; parts of a whole (--p) have muted ones of their own.
inline constexpr std::string_view kPageStyle = R"css(
:root{color-scheme:light dark;--bg:#f4f5f7;--card:#fff;--ink:#17212d;--soft:#5c6875;--line:#e3e7ec;
--accent:#1f5fd0;--s0:#1f5fd0;--s1:#e07a10;--s2:#0f9d80;--s3:#b8326f;--s4:#7b5cd6;--s5:#6b7a1e;
--s6:#0b8fb3;--s7:#8a5a3c;
--p0:#34536f;--p1:#6d9dbd;--p2:#b4d0de;--p3:#7d6aa3;--p4:#bcaed6;--p5:#6f9568;--p6:#c9b458;--p7:#c4c8cc}
@media(prefers-color-scheme:dark){:root{--bg:#10151b;--card:#182029;--ink:#e8edf2;--soft:#9aa8b6;
--line:#2b3642;--accent:#7fb0ff;--s0:#6ea3ff;--s1:#ffab52;--s2:#3fd0b0;--s3:#f07fb4;--s4:#b09bff;
--s5:#c3d05a;--s6:#5cc8e6;--s7:#d2a184;
--p0:#8fb4d6;--p1:#5b8bb0;--p2:#3a5a73;--p3:#a995d6;--p4:#6b5b91;--p5:#8fb986;--p6:#d3bf63;--p7:#66727e}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK KR",sans-serif}
main{max-width:1240px;margin:0 auto;padding:clamp(20px,4vw,44px) clamp(14px,3vw,32px) 32px}
header{margin-bottom:24px}
header p.kind{margin:0 0 6px;font-size:13px;font-weight:600;letter-spacing:.06em;
text-transform:uppercase;color:var(--accent)}
h1{margin:0;font-size:clamp(22px,3.2vw,34px);line-height:1.25;font-weight:680;
letter-spacing:-.015em;max-width:34em;text-wrap:balance}
ul.facts{display:flex;flex-wrap:wrap;gap:6px 8px;list-style:none;margin:16px 0 0;padding:0}
ul.facts li{font-size:13px;color:var(--soft);background:var(--card);border:1px solid var(--line);
border-radius:99px;padding:3px 11px;overflow-wrap:anywhere}
.grid{display:flex;flex-wrap:wrap;gap:16px}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;
padding:18px clamp(14px,2vw,20px) 16px;min-width:0;flex:1 1 340px}
section.wide{flex-basis:100%}
h2{margin:0;font-size:16px;font-weight:650}
section>p{margin:3px 0 14px;font-size:13.5px;line-height:1.45;color:var(--soft)}
svg{display:block;width:100%;max-width:440px;height:auto;margin:0 auto;overflow:visible;
font-family:inherit}
svg text{fill:var(--ink);font-size:13px;font-variant-numeric:tabular-nums}
svg .name{font-weight:600}svg .value{fill:var(--soft)}
svg .tick{font-size:11px;fill:var(--soft)}
svg .axis{font-size:12px;fill:var(--soft)}
svg .point{font-size:12px;font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:3px}
svg .grid{stroke:var(--line);stroke-width:1}
svg .reference{stroke:var(--soft);stroke-width:1.5;stroke-dasharray:4 3}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px;list-style:none;margin:10px 0 0;padding:0;
font-size:12.5px;color:var(--soft)}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;
vertical-align:-1px}
.scroll{overflow-x:auto;margin:0 -4px}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:9px 10px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line);
vertical-align:top}
tr:last-child td{border-bottom:0}
th{font-size:12px;font-weight:600;color:var(--soft);padding-top:0;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--card)}
td:first-child{font-weight:600;white-space:normal;overflow-wrap:anywhere}
section.wide td:first-child{min-width:min(40vw,20em)}
td small{display:block;font-size:12px;font-weight:400;color:var(--soft)}
td b{font-weight:680}
td i{display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:8px}
footer{margin-top:22px;font-size:13px;line-height:1.55;color:var(--soft);max-width:76ch}
@media print{body{background:#fff}section{break-inside:avoid}}
)css";

}  // namespace kobolt
