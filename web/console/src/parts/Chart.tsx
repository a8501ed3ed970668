import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { type EChartsType, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { locale } from "../words";
import type { Series } from "./Figure";

use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

interface Props {
  labels: string[];
  series: Series[];
  kind: "bar" | "line";
}

/** A chart for those who see it; `Figure` has the same numbers as a table. */
export default function Chart({ labels, series, kind }: Props) {
  const node = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);

  useEffect(() => {
    if (!node.current) return;
    const made = init(node.current, null, { renderer: "canvas", locale: locale.toUpperCase() });
    chart.current = made;
    const fit = new ResizeObserver(() => made.resize());
    fit.observe(node.current);
    return () => {
      fit.disconnect();
      made.dispose();
    };
  }, []);

  useEffect(() => {
    const draw = () => chart.current?.setOption(option(labels, series, kind), true);
    draw();
    // Colours follow the theme, which is an attribute of the root.
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributes: true });
    return () => themed.disconnect();
  }, [labels, series, kind]);

  return <div className="chart" ref={node} aria-hidden="true" />;
}

function option(labels: string[], series: Series[], kind: "bar" | "line") {
  const root = getComputedStyle(document.documentElement);
  const colour = (name: string) => root.getPropertyValue(name).trim();
  const quiet = colour("--quiet");
  const edge = colour("--edge");
  return {
    animation: false,
    color: series.map((one) => colour(one.colour)),
    textStyle: { color: quiet, fontFamily: "inherit" },
    grid: { left: 8, right: 8, top: 36, bottom: 4, containLabel: true },
    legend: {
      type: "scroll",
      top: 0,
      left: 0,
      right: 0,
      textStyle: { color: quiet },
      itemWidth: 14,
      itemHeight: 10,
    },
    // What a policy without inline styles allows: drawn, not written as HTML.
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      backgroundColor: colour("--paper"),
      borderColor: edge,
      textStyle: { color: colour("--mantine-color-text") || quiet },
    },
    xAxis: {
      type: "category",
      data: labels,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: edge } },
      axisLabel: { color: quiet, hideOverlap: true },
    },
    yAxis: {
      type: "value",
      minInterval: 1,
      splitLine: { lineStyle: { color: edge } },
      axisLabel: { color: quiet },
    },
    series: series.map((one) => ({
      name: one.name,
      type: kind,
      stack: kind === "bar" ? "all" : undefined,
      showSymbol: false,
      barMaxWidth: 26,
      data: one.values,
    })),
  };
}
