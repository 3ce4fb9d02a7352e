// A release's page needs its colours only.

document.documentElement.classList.add("scripted");
theme.set(theme.get());
byId("theme").addEventListener("click", () => theme.next());
performance.mark("clawgauge-ready");
