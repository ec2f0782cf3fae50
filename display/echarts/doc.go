// Package echarts renders charts.
package echarts
