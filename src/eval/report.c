/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - the page: what was found in one sentence, then the proof. One file, nothing fetched, no script. */
#include "eval/report.h"

#include "eval/document.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

/* The comparison of the subject with its best part by the main figure, or NULL. */
static const cJSON *main_comparison(const cJSON *doc)
{
    const cJSON *c;
    cJSON_ArrayForEach(c, of(doc, "comparisons"))
    {
        bool best = !strcmp(tdm_json_str(c, "b", ""), tdm_json_str(doc, "best_part", "?"));
        if (best && !strcmp(tdm_json_str(c, "metric", ""), tdm_json_str(doc, "main", "?"))) return c;
    }
    return NULL;
}

static void lede(tdm_buf *out, const cJSON *doc)
{
    const char *subject = tdm_json_str(doc, "subject", NULL), *main = tdm_json_str(doc, "main", "");
    const char *k = strchr(main, '@');
    char hit[32];
    if (!subject || !k) return;
    snprintf(hit, sizeof hit, "hit%.12s", k);
    const cJSON *m = of(of(doc, "models"), subject), *c = main_comparison(doc);
    double v = tdm_html_value(m, main), share = tdm_html_value(m, hit);
    if (isnan(v)) return;
    tdm_buf_str(out, "<p class=\"lede\">");
    tdm_html_text(out, subject);
    tdm_buf_fmt(out,
                " puts something that the person went on to choose into the first %s for <strong>%.1f%%</strong> of "
                "people, with %s to choose from. Its %s is <strong>%.4f</strong>",
                k + 1, 100 * share,
                of(doc, "chance") ? "the items that nobody chose in training" : "the whole catalogue", main, v);
    if (c) {
        double d = tdm_json_num(c, "difference", 0), p = tdm_json_num(c, "p", 1);
        tdm_buf_fmt(out, ", %.4f %s ", fabs(d), d < 0 ? "below" : "above");
        tdm_html_text(out, tdm_json_str(c, "b", "?"));
        if (!tdm_json_bool(c, "significant", false))
            tdm_buf_fmt(out, ": no significant difference (p&nbsp;=&nbsp;%.2f)", p);
        else if (p < 0.001) tdm_buf_str(out, ", the best of the others (p&nbsp;&lt;&nbsp;0.001)");
        else tdm_buf_fmt(out, ", the best of the others (p&nbsp;=&nbsp;%.3f)", p);
    }
    tdm_buf_str(out, ".</p>\n");
    if (!strcmp(tdm_json_str(doc, "on", ""), "validation"))
        tdm_buf_str(out,
                    "<p class=\"note\">These are validation people: training stopped and weights were chosen by them, "
                    "so the figures flatter. Only those on test say how it will do.</p>\n");
}

static void fact(tdm_buf *out, const char *name, double count, const char *word)
{
    tdm_buf_fmt(out, "<div><dt>%s</dt><dd>", name);
    if (word) tdm_html_text(out, word);
    else tdm_html_count(out, count);
    tdm_buf_str(out, "</dd></div>");
}

static void facts(tdm_buf *out, const cJSON *doc)
{
    const cJSON *d = of(doc, "dataset");
    tdm_buf_str(out, "<dl class=\"facts\">");
    fact(out, "People judged", tdm_json_num(doc, "people", 0), NULL);
    fact(out, "People in all", tdm_json_num(d, "users", 0), NULL);
    fact(out, "Catalogue", tdm_json_num(d, "items", 0), NULL);
    if (tdm_json_num(doc, "candidates", 0) < tdm_json_num(d, "items", 0))
        fact(out, "Of them ranked", tdm_json_num(doc, "candidates", 0), NULL);
    fact(out, "Interactions", tdm_json_num(d, "interactions", 0), NULL);
    fact(out, "Split", 0, tdm_json_str(doc, "split", "?"));
    fact(out, "Equal times", 0, !strcmp(tdm_json_str(doc, "ties", ""), "shuffle") ? "shuffled" : "as in the file");
    fact(out, "Items already seen", 0, !strcmp(tdm_json_str(doc, "seen", ""), "keep") ? "may return" : "left out");
    fact(out, "Judged on", 0, tdm_json_str(doc, "on", "test"));
    char weight[16];
    snprintf(weight, sizeof weight, "%g", tdm_json_num(doc, "diversity", 0));
    if (strcmp(weight, "0")) fact(out, "Lists made with diversity", 0, weight);
    if (tdm_json_num(doc, "newest", 0) > 0)
        fact(out, "Newest of a history asked with", tdm_json_num(doc, "newest", 0), NULL);
    tdm_buf_str(out, "</dl>\n");
}

static void definitions(tdm_buf *out, const cJSON *doc)
{
    const cJSON *d;
    tdm_buf_str(out, "<section><h2>What the words mean</h2>\n<p class=\"note\">Libraries define the same names "
                     "differently; these are the definitions behind the figures above. Ranking means are over people "
                     "with at least one held-out item that counts. Equal scores rank by an index that carries no "
                     "meaning.</p>\n<dl class=\"terms\">");
    cJSON_ArrayForEach(d, of(doc, "definitions"))
    {
        tdm_buf_str(out, "<dt>");
        tdm_html_text(out, d->string);
        tdm_buf_str(out, "</dt><dd>");
        tdm_html_text(out, cJSON_GetStringValue(d));
        tdm_buf_str(out, "</dd>\n");
    }
    tdm_buf_str(out, "</dl></section>\n");
}

static void reproduce(tdm_buf *out, const cJSON *doc)
{
    const cJSON *m, *p;
    const char *command = tdm_json_str(doc, "command", NULL);
    tdm_buf_str(out, "<section><h2>To get the same again</h2>\n");
    if (command) {
        tdm_buf_str(out, "<pre>");
        tdm_html_text(out, command);
        tdm_buf_str(out, "</pre>\n");
    }
    tdm_buf_fmt(out, "<p>Data fingerprint <code>%s</code>, seed <code>%.0f</code>, preset <code>",
                tdm_json_str(of(doc, "dataset"), "fingerprint", "?"), tdm_json_num(doc, "seed", 0));
    tdm_html_text(out, tdm_json_str(of(doc, "settings"), "preset", "?"));
    tdm_buf_fmt(out, "</code>, tandem <code>%s</code>.</p>\n", TDM_VERSION);
    if (cJSON_GetArraySize(of(of(doc, "settings"), "models"))) {
        tdm_buf_str(out, "<details><summary>Settings of each model</summary><table><tbody>\n");
        cJSON_ArrayForEach(m, of(of(doc, "settings"), "models"))
        {
            tdm_buf_str(out, "<tr><th scope=\"row\">");
            tdm_html_text(out, m->string);
            tdm_buf_str(out, "</th><td class=\"words\">");
            cJSON_ArrayForEach(p, m)
            {
                tdm_html_text(out, p->string);
                tdm_buf_fmt(out, " %.6g%s", p->valuedouble, p->next ? ", " : "");
            }
            tdm_buf_str(out, m->child ? "</td></tr>\n" : "nothing to set</td></tr>\n");
        }
        tdm_buf_str(out, "</tbody></table></details>\n");
    }
    tdm_buf_str(out, "</section>\n");
}

tdm_status tdm_evaluation_html(tdm_buf *out, const cJSON *doc, tdm_err *err)
{
    if (!cJSON_IsObject(of(doc, "models")))
        return tdm_fail(err, TDM_E_FORMAT, "this is no evaluation: it has no \"models\"");
    tdm_buf_str(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n<title>tandem: evaluation</title>\n<style>");
    tdm_buf_add(out, tdm_report_css, tdm_report_css_n);
    tdm_buf_str(out, "</style></head>\n<body><main>\n<header><p class=\"mark\">tandem</p>\n"
                     "<h1>How well it recommends</h1>\n");
    lede(out, doc);
    facts(out, doc);
    tdm_buf_str(out, "</header>\n");
    tdm_report_models(out, doc);
    tdm_report_reach(out, doc);
    tdm_report_calibration(out, doc);
    tdm_report_comparisons(out, doc);
    tdm_report_ablation(out, doc);
    tdm_report_slices(out, doc);
    tdm_report_cold(out, doc);
    tdm_report_before(out, doc);
    tdm_report_diversity(out, doc);
    tdm_report_text(out, doc);
    tdm_report_fusion(out, doc);
    tdm_report_influence(out, doc);
    tdm_report_data(out, doc);
    tdm_report_curves(out, doc);
    tdm_report_search(out, doc);
    tdm_report_cost(out, doc);
    definitions(out, doc);
    reproduce(out, doc);
    tdm_buf_str(out, "<footer>Written by tandem. This file needs no other file and no network.</footer>\n"
                     "</main></body></html>\n");
    return out->failed ? tdm_nomem(err, "a report") : TDM_OK;
}
