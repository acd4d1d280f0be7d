/* SPDX-License-Identifier: Apache-2.0 */
/* report_cold.c - the report on cold start: each model's recall beside what chance finds among items that nobody chose
 * in training, and with one click beside what popularity finds. */
#include "eval/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

static void figure(tdm_buf *out, const cJSON *e)
{
    double v = tdm_json_num(e, "value", NAN), low = tdm_json_num(e, "low", NAN);
    if (isnan(v)) tdm_buf_str(out, "<td>&ndash;</td>");
    else tdm_buf_fmt(out, "<td>%.4f</td>", v);
    if (isnan(low)) tdm_buf_str(out, "<td>&ndash;</td>");
    else tdm_buf_fmt(out, "<td>%.4f to %.4f</td>", low, tdm_json_num(e, "high", NAN));
}

/* A row for each of `models` with a recall; `times` is the key of how many times `what` that is. */
static void recalls(tdm_buf *out, const cJSON *doc, const cJSON *models, const char *times, const char *what)
{
    const char *k = strchr(tdm_json_str(doc, "main", "@10"), '@');
    const cJSON *m;
    char recall[32], ndcg[32];
    snprintf(recall, sizeof recall, "recall%.20s", k ? k : "@10");
    snprintf(ndcg, sizeof ndcg, "ndcg%.20s", k ? k : "@10");
    tdm_buf_fmt(out,
                "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Model</th><th scope=\"col\">%s</th>"
                "<th scope=\"col\">95%% interval</th><th scope=\"col\">Times %s</th><th scope=\"col\">%s</th>"
                "<th scope=\"col\">95%% interval</th></tr></thead><tbody>\n",
                recall, what, ndcg);
    cJSON_ArrayForEach(m, models)
    {
        if (isnan(tdm_html_value(m, recall))) continue;
        tdm_buf_fmt(out, "<tr class=\"%s\"><th scope=\"row\">", tdm_html_class(doc, m->string));
        tdm_html_text(out, m->string);
        tdm_buf_str(out, "</th>");
        figure(out, of(m, recall));
        double ratio = tdm_json_num(m, times, NAN);
        if (isnan(ratio)) tdm_buf_str(out, "<td>&ndash;</td>");
        else tdm_buf_fmt(out, "<td>%.1f</td>", ratio);
        figure(out, of(m, ndcg));
        tdm_buf_str(out, "</tr>\n");
    }
    tdm_buf_str(out, "</tbody></table></div>\n");
}

static void cold_items(tdm_buf *out, const cJSON *doc, const cJSON *chance)
{
    tdm_buf_str(out, "<section><h2>Among items that nobody had touched</h2>\n<p class=\"note\">Training saw none of "
                     "what people did with these ");
    tdm_html_count(out, tdm_json_num(doc, "candidates", 0));
    tdm_buf_fmt(out,
                " items, and they alone are ranked. Items in a drawn order would have a %s of %.4f. A model that knows "
                "items by what people did has no opinion here.</p>\n",
                chance->string, chance->valuedouble);
    recalls(out, doc, of(doc, "models"), "times_chance", "chance");
    tdm_buf_str(out, "</section>\n");
}

static void one_click(tdm_buf *out, const cJSON *doc, const cJSON *click)
{
    tdm_buf_str(out, "<section><h2>With one click</h2>\n<p class=\"note\">");
    tdm_html_count(out, tdm_json_num(click, "people", 0));
    tdm_buf_str(out, " of the people above, asked with the newest item of their history alone, as newcomers are. Other "
                     "items of their past may then be recommended again, which costs every model a little.</p>\n");
    bool cold = of(doc, "chance") != NULL; /* popularity finds nothing there */
    recalls(out, doc, of(click, "models"), cold ? "times_chance" : "times_popularity", cold ? "chance" : "popularity");
    tdm_buf_str(out, "</section>\n");
}

void tdm_report_cold(tdm_buf *out, const cJSON *doc)
{
    const cJSON *chance = of(doc, "chance"), *click = of(doc, "one_click");
    if (chance && chance->child) cold_items(out, doc, chance->child);
    if (click) one_click(out, doc, click);
}
