/** The look of /docs. */
export const DOCS_STYLE = `
:root{color-scheme:light dark;--line:#8883;--dim:#667;--soft:#8881}
*{box-sizing:border-box}
body{margin:0;font:15px/1.55 system-ui,sans-serif;display:grid;grid-template-columns:20rem minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.2rem;border-right:1px solid var(--line);font-size:13px}
nav h1{font-size:18px;margin:0 0 .8rem}nav h2{font-size:12px;text-transform:uppercase;letter-spacing:.06em;color:var(--dim);margin:1.2rem 0 .3rem}
nav ul{list-style:none;margin:0;padding:0}nav li{margin:.15rem 0}nav a{text-decoration:none;color:inherit;overflow-wrap:anywhere}
main{padding:1.5rem 2.5rem 6rem;max-width:64rem}
section{border-top:1px solid var(--line);padding:1rem 0 1.6rem;scroll-margin-top:1rem}
h3{font-size:17px;margin:.4rem 0;font-weight:500;overflow-wrap:anywhere}h4{margin:1rem 0 .3rem;font-size:13px;color:var(--dim)}
.summary{font-size:17px;margin:.2rem 0}.who,.problem span,i{color:var(--dim)}.problem{display:inline-block;margin:.1rem .8rem .1rem 0;font-size:13px}
b.GET,b.PUT,b.POST,b.DELETE{display:inline-block;min-width:3.6em;font-size:11px;letter-spacing:.03em}
b.GET{color:#1273c4}b.PUT{color:#a76a00}b.POST{color:#19803b}b.DELETE{color:#c22f2f}
table{border-collapse:collapse;width:100%;font-size:13.5px}td{border-bottom:1px solid var(--line);padding:.3rem .8rem .3rem 0;vertical-align:top}
td:first-child{font-family:ui-monospace,monospace;white-space:nowrap}td:nth-child(2){color:var(--dim);width:30%}
pre,code{font-family:ui-monospace,monospace;font-size:13px}pre{background:var(--soft);padding:.8rem;border-radius:6px;overflow:auto}
details{margin:.3rem 0}summary{cursor:pointer}
@media(max-width:52rem){body{display:block}nav{position:static;height:auto;border:0}main{padding:1rem}}
`
