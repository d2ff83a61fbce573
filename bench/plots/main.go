// Command plots draws what the benchmark measured. It is a module of its own, so
// that the benchmark does not depend on what it draws with.
//
//	go run -C bench . -plots DIRECTORY
//
// runs it. It reads a JSON list of charts from standard input, and writes each
// as an SVG file to the directory that its argument names.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// chart is one file.
type chart struct {
	File  string `json:"file"`
	Title string `json:"title"`
	X     string `json:"x"`
	Y     string `json:"y"`
	LogX  bool   `json:"log_x"`
	LogY  bool   `json:"log_y"`
	Lines []line `json:"lines"`
}

// line is one thing that was measured, with its spread.
type line struct {
	Name   string  `json:"name"`
	Points []point `json:"points"`
}

type point struct {
	X      float64 `json:"x"`
	Median float64 `json:"median"`
	P10    float64 `json:"p10"`
	P90    float64 `json:"p90"`
}

func main() {
	if err := run(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "plots:", err)
		os.Exit(1)
	}
}

func run() error {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	if len(os.Args) != 2 {
		return errors.New("usage: plots DIRECTORY <CHARTS")
	}
	var charts []chart
	if err := json.NewDecoder(os.Stdin).Decode(&charts); err != nil {
		return err
	}
	for _, c := range charts {
		if err := c.write(os.Args[1]); err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
	}
	return nil
}

func (c *chart) write(dir string) error {
	p := plot.New()
	p.BackgroundColor = color.White
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.Title.Padding = vg.Points(8)
	p.X.Padding, p.Y.Padding = 0, 0
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = vg.Points(3)
	p.Add(plotter.NewGrid())
	if c.LogX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.ConstantTicks(c.places())
	}
	if c.LogY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, decades{}
	} else {
		p.Y.Min = 0
	}
	for i, l := range c.Lines {
		if err := l.add(p, i); err != nil {
			return err
		}
	}
	// Room for the legend, above all lines.
	part := 1 - 0.055*float64(len(c.Lines))
	if c.LogY {
		p.Y.Max = p.Y.Min * math.Pow(p.Y.Max/p.Y.Min, 1/part)
	} else {
		p.Y.Max /= part
	}
	return p.Save(16*vg.Centimeter, 10*vg.Centimeter, filepath.Join(dir, c.File))
}

// places marks the axis where something was measured.
func (c *chart) places() (ticks []plot.Tick) {
	for _, p := range c.Lines[0].Points {
		ticks = append(ticks, plot.Tick{Value: p.X, Label: fmt.Sprintf("%.0f", p.X)})
	}
	return ticks
}

// add draws a line through the medians, and bars from the tenth to the ninetieth
// percentile.
func (l *line) add(p *plot.Plot, number int) error {
	spreads := &spreads{points: l.Points}
	bars, err := plotter.NewYErrorBars(spreads)
	if err != nil {
		return err
	}
	path, marks, err := plotter.NewLinePoints(spreads)
	if err != nil {
		return err
	}
	path.Color, path.Width = plotutil.Color(number), vg.Points(1.2)
	marks.Color, marks.Shape, marks.Radius = path.Color, draw.CircleGlyph{}, vg.Points(2)
	bars.Color = path.Color
	p.Add(path, marks, bars)
	p.Legend.Add(l.Name, path, marks)
	return nil
}

// spreads are points as the library wants them.
type spreads struct{ points []point }

func (s *spreads) Len() int                    { return len(s.points) }
func (s *spreads) XY(i int) (float64, float64) { return s.points[i].X, s.points[i].Median }
func (s *spreads) YError(i int) (float64, float64) {
	p := s.points[i]
	return p.Median - p.P10, p.P90 - p.Median
}

// decades marks 1, 2 and 5 of each power of ten.
type decades struct{}

func (decades) Ticks(low, high float64) (ticks []plot.Tick) {
	for power := 1e-3; power <= high; power *= 10 {
		for _, digit := range []float64{1, 2, 5} {
			if v := digit * power; v >= low && v <= high {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', -1, 64)})
			}
		}
	}
	return ticks
}
