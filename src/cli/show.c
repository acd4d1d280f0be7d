/* SPDX-License-Identifier: Apache-2.0 */
/* show.c - answers as text for people. The documents are the ones that --json prints. */
#include "cli/cli.h"

#include <math.h>
#include <string.h>

enum { HISTORY_LINES = 5 };

int cli_answer(const cli_args *a, tdm_status st, char *text, void (*show)(const cJSON *), const tdm_err *err)
{
    if (st) return cli_fail(st, err);
    if (a->json) puts(text);
    else {
        cJSON *answer = cJSON_Parse(text);
        if (answer) show(answer);
        cJSON_Delete(answer);
    }
    tdm_text_free(text);
    return CLI_DONE;
}

static const char *text_of(const cJSON *o, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
    return s ? s : "";
}

static double number_of(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

static void put_value(const cJSON *v, int depth);

static void put_object(const cJSON *o, int depth)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, o)
    {
        printf("%*s", depth * 2, "");
        printf("%-*s ", 22 - depth * 2 > 0 ? 22 - depth * 2 : 0, v->string ? v->string : "-");
        put_value(v, depth);
    }
}

/* A curve has up to 200 points; a line has room for its ends. */
static bool put_curve(const cJSON *v)
{
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(v, "value");
    int n = cJSON_GetArraySize(values);
    if (!cJSON_IsObject(v) || !cJSON_HasObjectItem(v, "step") || !n) return false;
    double first = values->child->valuedouble, last = cJSON_GetArrayItem(values, n - 1)->valuedouble;
    if (n == 1) printf("%.4g\n", last);
    else printf("%.4g at first, %.4g in the end\n", first, last);
    return true;
}

static void put_value(const cJSON *v, int depth)
{
    if (put_curve(v)) return;
    if (cJSON_IsString(v)) {
        cli_put_text(stdout, v->valuestring, 0);
        putchar('\n');
    } else if (cJSON_IsNumber(v)) {
        printf("%.10g\n", v->valuedouble);
    } else if (cJSON_IsBool(v)) {
        printf("%s\n", cJSON_IsTrue(v) ? "yes" : "no");
    } else if (cJSON_IsNull(v) || !v->child) {
        printf("-\n");
    } else if (cJSON_IsArray(v) && !cJSON_IsObject(v->child)) {
        const cJSON *e;
        cJSON_ArrayForEach(e, v)
        {
            char *t = cJSON_IsString(e) ? NULL : cJSON_PrintUnformatted(e);
            cli_put_text(stdout, t ? t : e->valuestring, 0);
            cJSON_free(t);
            if (e->next) printf(", ");
        }
        putchar('\n');
    } else {
        putchar('\n');
        put_object(v, depth + 1);
    }
}

void cli_show_fields(const cJSON *answer) { put_object(answer, 0); }

/* ---- recommendations ---- */

static void put_because(const cJSON *r)
{
    const char *text = text_of(r, "text");
    if (*text) {
        printf("      ");
        cli_put_text(stdout, text, 0);
        printf("%s\n", !strcmp(text_of(r, "text_source"), "evidence") ? "  (plain evidence)" : "");
    }
    const cJSON *line, *part;
    cJSON_ArrayForEach(line, cJSON_GetObjectItemCaseSensitive(r, "evidence"))
    {
        size_t n = strlen(line->valuestring), all = strlen(text);
        if (n && n <= all && !strcmp(text + all - n, line->valuestring)) continue; /* it stands above */
        printf("      - ");
        cli_put_text(stdout, line->valuestring, 0);
        putchar('\n');
    }
    const cJSON *parts = cJSON_GetObjectItemCaseSensitive(r, "parts");
    if (cJSON_GetArraySize(parts) > 1) {
        printf("      score %.2f:", number_of(r, "score"));
        cJSON_ArrayForEach(part, parts)
            printf("%s %s %+.2f", part == parts->child ? "" : ",", part->string, part->valuedouble);
        putchar('\n');
    }
}

/* What the person chose last, newest first. */
static void put_history(const cJSON *answer, size_t title)
{
    const cJSON *h, *list = cJSON_GetObjectItemCaseSensitive(answer, "history");
    double more = number_of(answer, "history_length") - HISTORY_LINES;
    int shown = 0;
    if (!cJSON_GetArraySize(list)) return;
    printf("chose lately\n");
    cJSON_ArrayForEach(h, list)
    {
        if (shown++ == HISTORY_LINES) break;
        printf("      ");
        size_t n = cli_put_text(stdout, text_of(h, "title"), title);
        printf("%*s  ", (int)(title - n), "");
        double rating = number_of(h, "rating");
        if (isfinite(rating)) printf("rated %-4.4g", rating);
        else printf("%10s", "");
        printf("  %s\n", text_of(h, "item"));
    }
    if (more > 0) printf("      and %.0f before\n", more);
    printf("recommended\n");
}

void cli_show_recommendations(const cJSON *answer)
{
    size_t title = (size_t)cli_width() > 60 ? (size_t)cli_width() - 34 : 26;
    const cJSON *r, *note = cJSON_GetObjectItemCaseSensitive(answer, "note");
    int rank = 0;
    put_history(answer, title);
    if (cJSON_IsString(note)) printf("note: %s\n", note->valuestring);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "recommendations");
    if (!list) list = answer; /* an explanation: one object */
    if (!cJSON_IsArray(list)) {
        cli_put_text(stdout, text_of(list, "title"), title);
        printf("  [%s]  ", text_of(list, "item"));
        if (isfinite(number_of(list, "score"))) printf("score %.4g\n", number_of(list, "score"));
        else printf("no opinion: nothing in the history leads to it\n");
        put_because(list);
        return;
    }
    cJSON_ArrayForEach(r, list)
    {
        printf("%3d.  ", ++rank);
        size_t n = cli_put_text(stdout, text_of(r, "title"), title);
        printf("%*s  %9.4f  %s\n", (int)(title - n), "", number_of(r, "score"), text_of(r, "item"));
        if (cJSON_GetObjectItemCaseSensitive(r, "text")) put_because(r);
    }
}

void cli_show_similar(const cJSON *answer)
{
    const cJSON *r;
    cJSON_ArrayForEach(r, cJSON_GetObjectItemCaseSensitive(answer, "similar"))
    {
        const char *item = text_of(r, "item");
        printf("%8.4f  %-16s ", number_of(r, "similarity"), *item ? item : text_of(r, "user"));
        cli_put_text(stdout, text_of(r, "title"), 80);
        double shared = number_of(r, "shared");
        if (isfinite(shared)) printf("%.0f items in common", shared);
        putchar('\n');
    }
}
