/* SPDX-License-Identifier: Apache-2.0 */
/* report_parts.c - what each part is to the hybrid: its share of the recommendations by the length of the history, and
 * what is lost without it. */
#include "eval/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

/* ---- influence ---- */

/* A cell: a bar as long as its share of `most`, and the share. */
static void share_cell(tdm_buf *out, double share, double most)
{
    if (isnan(share)) {
        tdm_buf_str(out, "<td>&ndash;</td>");
        return;
    }
    tdm_buf_fmt(out,
                "<td><svg height=\"9\" aria-hidden=\"true\"><rect class=\"bar\" width=\"%.2f%%\" height=\"9\" "
                "rx=\"2\"/></svg><b>%.1f%%</b></td>",
                most > 0 ? 100 * share / most : 0, 100 * share);
}

static double largest(const cJSON *history)
{
    const cJSON *class, *p;
    double most = 0;
    cJSON_ArrayForEach(class, history) cJSON_ArrayForEach(p, of(class, "parts")) if (cJSON_IsNumber(p)) most =
        fmax(most, p->valuedouble);
    return most;
}

void tdm_report_influence(tdm_buf *out, const cJSON *doc)
{
    const cJSON *all = of(doc, "influence"), *history = of(all, "history"), *class, *p;
    if (!cJSON_GetArraySize(history)) return;
    double most = largest(history);
    tdm_buf_str(out,
                "<section><h2>Whose opinion counts</h2>\n<p class=\"note\">What a model adds to the score of an item, "
                "beside what all add, sign left out: the mean over the ");
    tdm_html_count(out, tdm_json_num(all, "list", 0));
    tdm_buf_str(out, " items that the hybrid recommends, and over ");
    tdm_html_count(out, tdm_json_num(all, "people", 0));
    tdm_buf_str(out,
                " people by how long their history is. The parts of a score sum to it, so a column sums to 100%.</p>\n"
                "<div class=\"scroll\"><table class=\"shares\"><caption>Share by length of history"
                "</caption><thead><tr>"
                "<th scope=\"col\">Model</th>");
    cJSON_ArrayForEach(class, history)
    {
        tdm_buf_fmt(out, "<th scope=\"col\">%s<span>", class->string);
        tdm_html_count(out, tdm_json_num(class, "people", 0));
        tdm_buf_str(out, tdm_json_num(class, "people", 0) == 1 ? " person</span></th>" : " people</span></th>");
    }
    tdm_buf_str(out, "</tr></thead><tbody>\n");
    cJSON_ArrayForEach(p, of(history->child, "parts"))
    {
        tdm_buf_fmt(out, "<tr class=\"%s\"><th scope=\"row\">", tdm_html_class(doc, p->string));
        tdm_html_text(out, p->string);
        tdm_buf_str(out, "</th>");
        cJSON_ArrayForEach(class, history) share_cell(out, tdm_json_num(of(class, "parts"), p->string, NAN), most);
        tdm_buf_str(out, "</tr>\n");
    }
    tdm_buf_str(out, "</tbody></table></div></section>\n");
}

/* ---- ablation ---- */

static void put_p(tdm_buf *out, double p)
{
    if (p < 0.001) tdm_buf_str(out, "&lt; 0.001");
    else tdm_buf_fmt(out, "%.3f", p);
}

static void lost_plot(tdm_buf *out, const cJSON *without, const char *main)
{
    const cJSON *w;
    char caption[96];
    double low = 0, high = 0;
    cJSON_ArrayForEach(w, without)
    {
        low = fmin(low, tdm_json_num(of(of(w, "change"), main), "low", 0));
        high = fmax(high, tdm_json_num(of(of(w, "change"), main), "high", 0));
    }
    tdm_axis a = tdm_axis_make(low, high);
    if (a.low == 0) a.low = -a.step;
    if (a.high == 0) a.high = a.step;
    snprintf(caption, sizeof caption, "%.20s minus that of the whole hybrid", main);
    tdm_plot_begin(out, caption, "Hybrid", "Difference");
    tdm_buf_str(out, "<tbody>\n");
    cJSON_ArrayForEach(w, without)
    {
        const cJSON *c = of(of(w, "change"), main);
        double v = tdm_json_num(c, "difference", NAN);
        bool sure = tdm_json_bool(c, "significant", false);
        char name[96];
        snprintf(name, sizeof name, "%.80s%s", w->string, sure ? "" : " (n.s.)");
        tdm_plot_row(out, &a, name,
                     !sure   ? ""
                     : v > 0 ? "up"
                             : "down",
                     true, v, tdm_json_num(c, "low", NAN), tdm_json_num(c, "high", NAN), 4);
    }
    tdm_buf_str(out, "</tbody>");
    tdm_plot_end(out, &a);
}

static void lost_row(tdm_buf *out, const cJSON *row, const char *name, const char *class, const char *main,
                     const char *recall)
{
    const cJSON *c = of(of(row, "change"), main), *lacks = of(row, "lacks"), *one;
    tdm_buf_fmt(out, "<tr class=\"%s\"><th scope=\"row\">", class);
    tdm_html_text(out, name);
    tdm_buf_fmt(out, "</th><td>%.4f</td><td>%.4f</td>", tdm_html_value(row, main), tdm_html_value(row, recall));
    if (!c) tdm_buf_str(out, "<td>&ndash;</td><td>&ndash;</td><td>&ndash;</td>");
    else {
        tdm_buf_fmt(out, "<td>%+.4f</td><td>%+.4f to %+.4f</td><td>", tdm_json_num(c, "difference", NAN),
                    tdm_json_num(c, "low", NAN), tdm_json_num(c, "high", NAN));
        put_p(out, tdm_json_num(c, "p", NAN));
        tdm_buf_str(out, "</td>");
    }
    tdm_buf_str(out, "<td class=\"words\">");
    cJSON_ArrayForEach(one, lacks)
    {
        tdm_html_text(out, cJSON_GetStringValue(one));
        if (one->next) tdm_buf_str(out, ", ");
    }
    tdm_buf_str(out, "</td></tr>\n");
}

void tdm_report_ablation(tdm_buf *out, const cJSON *doc)
{
    const cJSON *all = of(doc, "ablation"), *without = of(all, "without"), *w;
    const char *main = tdm_json_str(doc, "main", "ndcg@10"), *at = strchr(main, '@');
    char recall[48];
    if (!cJSON_GetArraySize(without)) return;
    snprintf(recall, sizeof recall, "recall%.20s", at ? at : "");
    tdm_buf_str(out,
                "<section><h2>What if a part were missing?</h2>\n<p class=\"note\">Each time the fusion's weights were "
                "learned again without these models, from the same validation people (");
    tdm_html_count(out, tdm_json_num(all, "labels", 0));
    tdm_buf_str(out, " of them, as for the whole hybrid in this table), and judged on the same ");
    tdm_html_count(out, tdm_json_num(all, "people", 0));
    tdm_buf_str(out, " test people. A dot left of zero is what that part is worth beside all others.</p>\n");
    lost_plot(out, without, main);
    tdm_buf_fmt(out,
                "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Hybrid</th><th scope=\"col\">%s</th>"
                "<th scope=\"col\">%s</th><th scope=\"col\">Difference</th><th scope=\"col\">95%% interval</th>"
                "<th scope=\"col\">p (Holm)</th><th scope=\"col\" class=\"words\">Lacks</th></tr></thead><tbody>\n",
                main, recall);
    lost_row(out, of(all, "whole"), "whole", "lead", main, recall);
    cJSON_ArrayForEach(w, without) lost_row(out, w, w->string, "", main, recall);
    tdm_buf_str(out, "</tbody></table></div></section>\n");
}
