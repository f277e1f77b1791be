"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = () => ({ gridcolor: colour("--line"), linecolor: colour("--line"), zerolinecolor: colour("--line"), automargin: true });
  const draw = (plot) => {
    const chart = JSON.parse(document.getElementById(plot.dataset.chart).textContent);
    const layout = {
      ...chart.layout,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("--ink") },
      margin: { l: 56, r: 16, t: 16, b: 48 },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: colour("--ink") } },
      xaxis: { ...axis(), ...chart.layout.xaxis },
      yaxis: { ...axis(), ...chart.layout.yaxis },
    };
    return Plotly.react(plot, chart.data, layout, { displayModeBar: false, responsive: true });
  };
  const drawAll = () => document.querySelectorAll(".plot").forEach(draw);
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  matchMedia("print").addEventListener("change", drawAll);
})();
