/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - inside eval: the pieces that the HTML report is put together from.
 *
 * A plot is a table with a drawn column: what an eye sees as a bar, a screen reader reads as a row. Drawings use
 * percentages of their cell for x, so that they stretch with the page while letters keep their size. */
#ifndef TDM_EVAL_REPORT_H
#define TDM_EVAL_REPORT_H

#include "base/json.h"

extern const unsigned char tdm_report_css[]; /* web/report.css, taken in at build */
extern const size_t tdm_report_css_n;

void tdm_html_text(tdm_buf *out, const char *s);                 /* escaped */
void tdm_html_count(tdm_buf *out, double v);                     /* 22,363 */
const char *tdm_html_class(const cJSON *doc, const char *model); /* "lead", "second" or "" */

/* The value of model's metric, or NaN. */
double tdm_html_value(const cJSON *model, const char *metric);
bool tdm_metric_less_is_better(const char *metric);

/* ---- plots ---- */

typedef struct tdm_axis {
    double low, high, step;
} tdm_axis;

/* An axis over [low, high] with few, round steps. */
tdm_axis tdm_axis_make(double low, double high);

/* Head and end of a plot table, with the axis written below the rows. */
void tdm_plot_begin(tdm_buf *out, const char *caption, const char *names, const char *values);
void tdm_plot_end(tdm_buf *out, const tdm_axis *a);

/* One row: a bar from zero, or (dot) a dot beside the zero line, with a whisker from low to high where they are
 * numbers. `digits` behind the point of the printed value. */
void tdm_plot_row(tdm_buf *out, const tdm_axis *a, const char *name, const char *class, bool dot, double value,
                  double low, double high, int digits);

/* Columns over words, as an inline picture: n names and values. */
void tdm_plot_columns(tdm_buf *out, const char *title, const char *const *names, const double *values, size_t n);

/* A plane: a picture with two axes, between begin and end. `told` is what the picture shows in words, for who cannot
 * see it. The name of y stands above its axis. */
typedef struct tdm_plane {
    tdm_axis x, y;
    bool percent; /* both axes are shares */
} tdm_plane;

typedef struct tdm_spot {
    const char *name, *class;
    double x, y;
} tdm_spot;

enum { TDM_SPOTS = 64 }; /* as many have room */

void tdm_plane_begin(tdm_buf *out, const tdm_plane *p, const char *title, const char *x_name, const char *y_name,
                     const char *told);
void tdm_plane_line(tdm_buf *out, const tdm_plane *p, const char *class, const tdm_spot *spot, size_t n, bool dots);
/* Dots with their names, moved to where they cover the least. */
void tdm_plane_spots(tdm_buf *out, const tdm_plane *p, const tdm_spot *spot, size_t n);
void tdm_plane_end(tdm_buf *out);

/* ---- sections ---- */

void tdm_report_models(tdm_buf *out, const cJSON *doc);
void tdm_report_cold(tdm_buf *out, const cJSON *doc);  /* items nobody chose in training, and histories of one click */
void tdm_report_reach(tdm_buf *out, const cJSON *doc); /* accuracy against coverage, novelty, the long tail */
void tdm_report_calibration(tdm_buf *out, const cJSON *doc); /* predicted against given ratings */
void tdm_report_comparisons(tdm_buf *out, const cJSON *doc);
void tdm_report_slices(tdm_buf *out, const cJSON *doc);
void tdm_report_diversity(tdm_buf *out, const cJSON *doc);
void tdm_report_fusion(tdm_buf *out, const cJSON *doc);
void tdm_report_influence(tdm_buf *out, const cJSON *doc); /* whose opinion counts, by the length of the history */
void tdm_report_ablation(tdm_buf *out, const cJSON *doc);  /* the hybrid without some of its parts */
void tdm_report_data(tdm_buf *out, const cJSON *doc);
void tdm_report_curves(tdm_buf *out, const cJSON *doc);
void tdm_report_before(tdm_buf *out, const cJSON *doc); /* a second fit: figures before it and now */
void tdm_report_text(tdm_buf *out, const cJSON *doc);   /* written sentences beside people's own */
void tdm_report_search(tdm_buf *out, const cJSON *doc); /* how settings were found */
void tdm_report_cost(tdm_buf *out, const cJSON *doc);

#endif
