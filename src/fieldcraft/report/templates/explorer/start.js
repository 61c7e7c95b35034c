// Everything is put together; the page says when it is ready.
startPanel();
startTree();
rebuild();
drawOverview();
startOverview();
startFindings();
startSearch();
startBench();
render();
document.documentElement.dataset.ready = performance.now().toFixed(1);
