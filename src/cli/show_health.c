/* SPDX-License-Identifier: Apache-2.0 */
/* show_health.c - the data-health table: counts, four small charts, the cores, and what to know, in 80 columns and
 * about a screen. What does not fit is in --json. */
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Two columns of 37, with 3 between them. */
enum { COLUMN = 37, BETWEEN = 3, LABEL = 9, BAR = 15, ROWS = 10, TEXT = 48 };

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

static double number(const cJSON *o, const char *key)
{
    const cJSON *v = of(o, key);
    return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

/* A count with thousands separated by commas. */
static const char *count_text(char out[TEXT], double v)
{
    char plain[24];
    int n = snprintf(plain, sizeof plain, "%.0f", fmin(fabs(v), 1e18)), k = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[k++] = ',';
        out[k++] = plain[i];
    }
    out[k] = 0;
    return out;
}

static const char *percent_text(char out[TEXT], double share)
{
    double p = 100 * share;
    char plain[400]; /* whatever number a file claims */
    snprintf(plain, sizeof plain, "%.*f", p == 0 || p >= 99.95 ? 0 : p < 1 ? 2 : 1, p);
    snprintf(out, TEXT, "%.8s%%", p > 0 && p < 0.01 ? "<0.01" : plain);
    return out;
}

static void gap(int n) { printf("%*s", n > 0 ? n : 0, ""); }

/* ---- counts ---- */

/* One field of a column: what it is on the left, the value on the right. */
static void put_field(const char *label, const char *value)
{
    int room = COLUMN - (int)strlen(label);
    printf("%s%*s", label, room > 0 ? room : 0, value);
}

/* "439 (96%)" */
static const char *part_text(char out[TEXT], double v, double whole)
{
    char a[TEXT], b[TEXT];
    if (whole > 0) snprintf(out, TEXT, "%.20s (%.9s)", count_text(a, v), percent_text(b, v / whole));
    else count_text(out, v);
    return out;
}

static const char *day_text(char out[TEXT], double seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || !strftime(out, TEXT, "%Y-%m-%d", &tm)) strcpy(out, "?");
    return out;
}

typedef struct field {
    const char *label;
    char value[TEXT];
} field;

static void put_counts(const cJSON *h)
{
    field f[20];
    size_t n = 0;
    double N = number(h, "interactions"), rejected = 0;
    const cJSON *v, *span = of(h, "time_span");
    cJSON_ArrayForEach(v, of(h, "rejected")) rejected += v->valuedouble;
#define FIELD(name, call) (f[n].label = name, call, n++)
    FIELD("rows read", count_text(f[n].value, number(h, "rows_read")));
    FIELD("people", count_text(f[n].value, number(h, "users")));
    FIELD("exact duplicates left out", count_text(f[n].value, number(h, "duplicates")));
    FIELD("items", count_text(f[n].value, number(h, "items")));
    FIELD("rejected", count_text(f[n].value, rejected));
    FIELD("interactions", count_text(f[n].value, N));
    FIELD("repeated person-item pairs", count_text(f[n].value, number(h, "repeated_pairs")));
    if (of(h, "density")) FIELD("of all pairs", percent_text(f[n].value, number(h, "density")));
    FIELD("items with a title", part_text(f[n].value, number(h, "items_with_title"), number(h, "items")));
    FIELD("rows with text", percent_text(f[n].value, number(h, "text_coverage")));
    if (cJSON_GetArraySize(span) == 2) {
        FIELD("first interaction", day_text(f[n].value, span->child->valuedouble));
        FIELD("last interaction", day_text(f[n].value, span->child->next->valuedouble));
        FIELD("people with ties in time", part_text(f[n].value, number(h, "users_with_time_ties"), number(h, "users")));
        if (of(h, "bots")) FIELD("people at implausible rates", count_text(f[n].value, number(of(h, "bots"), "users")));
    } else FIELD("times", strcpy(f[n].value, "none: file order"));
    static const char *const rare[][2] = {{"below_min_rating", "below --min-rating"},
                                          {"left_out_events", "events that weigh 0"},
                                          {"left_out_core", "left out by --core"},
                                          {"several_people", "more people in one cell"},
                                          {"items_damaged", "ids that lost their zeros"}};
    for (size_t k = 0; k < sizeof rare / sizeof *rare; k++)
        if (number(h, rare[k][0]) > 0) FIELD(rare[k][1], count_text(f[n].value, number(h, rare[k][0])));
#undef FIELD
    for (size_t i = 0; i < n; i++) {
        if (i % 2 == 0) gap(2);
        put_field(f[i].label, f[i].value);
        if (i % 2 || i + 1 == n) putchar('\n');
        else gap(BETWEEN);
    }
    cJSON_ArrayForEach(v, of(h, "rejected")) /* why, below */
    {
        char value[TEXT];
        printf("    ");
        size_t used = cli_put_text(stdout, v->string, COLUMN - 16);
        printf("%*s\n", COLUMN - 2 - (int)used, count_text(value, v->valuedouble));
    }
}

/* ---- charts ---- */

/* A histogram with at most ROWS bars: neighbours are added together where it has more. */
typedef struct chart {
    char title[96], label[ROWS][24];
    double value[ROWS], most;
    size_t n, step; /* bars; how many of the histogram's are in each */
} chart;

/* "4-7" and "8-15" are "4-15"; of dates the first stands for all. */
static void label_join(char out[24], const char *first, const char *last, bool ranges)
{
    const char *end = strrchr(last, '-');
    size_t begin = ranges ? strcspn(first, "-") : strlen(first);
    if (first == last || !ranges) snprintf(out, 24, "%.23s", first);
    else snprintf(out, 24, "%.*s-%.11s", (int)(begin < 11 ? begin : 11), first, end ? end + 1 : last);
}

static void chart_fill(chart *c, const cJSON *histogram, bool ranges)
{
    const cJSON *v, *first = cJSON_IsObject(histogram) ? histogram->child : NULL;
    size_t n = 0, k = 0;
    *c = (chart){.step = 1};
    while (ranges && first && first->valuedouble == 0) first = first->next; /* nothing below is no news */
    for (v = first; v; v = v->next) n++;
    while (n > ROWS * c->step) c->step++;
    for (v = first; v; k++) {
        const cJSON *begin = v, *last = v;
        double sum = 0;
        for (size_t i = 0; v && i < c->step; i++, v = v->next) sum += v->valuedouble, last = v;
        label_join(c->label[k], begin->string, last->string, ranges);
        c->value[k] = sum;
        c->most = fmax(c->most, sum);
        c->n = k + 1;
    }
}

/* A bar of BAR columns at most, to an eighth of a column; what is there at all is seen. */
static void put_bar(double share)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int n = (int)(share * BAR * 8 + 0.5);
    if (share > 0 && n < 1) n = 1;
    for (int i = 0; i < n / 8; i++) fputs("█", stdout);
    fputs(eighths[n % 8], stdout);
    gap(BAR - (n + 7) / 8);
}

static void put_chart_row(const chart *c, size_t k)
{
    char value[TEXT];
    if (k >= c->n) {
        gap(COLUMN);
        return;
    }
    printf("%*.*s  ", LABEL, LABEL, c->label[k]);
    put_bar(c->most > 0 ? c->value[k] / c->most : 0);
    printf("%*s", COLUMN - LABEL - 2 - BAR, count_text(value, c->value[k]));
}

static void put_charts(const chart *a, const chart *b)
{
    if (!a->n && b->n) a = b, b = &(const chart){.step = 1};
    if (!a->n) return;
    printf("\n  %-*s", COLUMN + BETWEEN, a->title);
    printf("%s\n", b->n ? b->title : "");
    for (size_t k = 0; k < a->n || k < b->n; k++) {
        gap(2);
        put_chart_row(a, k);
        if (k < b->n) {
            gap(BETWEEN);
            put_chart_row(b, k);
        }
        putchar('\n');
    }
}

static void spread_fill(chart *c, const cJSON *spread, const char *title)
{
    char most[TEXT];
    chart_fill(c, of(spread, "histogram"), true);
    snprintf(c->title, sizeof c->title, "%s (median %.10g, most %s)", title, number(spread, "median"),
             count_text(most, number(spread, "most")));
}

static void put_all_charts(const cJSON *h)
{
    chart a, b;
    const cJSON *line = of(h, "time_line");
    const char *unit = cJSON_GetStringValue(of(line, "unit"));
    spread_fill(&a, of(h, "history"), "people by items");
    spread_fill(&b, of(h, "popularity"), "items by people");
    put_charts(&a, &b);
    chart_fill(&a, of(h, "ratings"), false);
    chart_fill(&b, of(line, "counts"), false);
    snprintf(a.title, sizeof a.title, "ratings");
    if (b.step > 1) snprintf(b.title, sizeof b.title, "interactions, %zu %ss a bar", b.step, unit ? unit : "");
    else snprintf(b.title, sizeof b.title, "interactions by %s", unit ? unit : "time");
    put_charts(&a, &b);
}

/* ---- cores and the tail ---- */

static void put_core(const cJSON *core, double N)
{
    char people[TEXT], items[TEXT], share[TEXT];
    printf("%4s%12s%11s%10s", core->string, count_text(people, number(core, "users")),
           count_text(items, number(core, "items")), percent_text(share, N > 0 ? number(core, "interactions") / N : 0));
}

static const char *language_text(char *out, size_t room, const cJSON *languages)
{
    const cJSON *v;
    char share[TEXT];
    size_t n = 0;
    int shown = 0;
    *out = 0;
    cJSON_ArrayForEach(v, languages)
    {
        bool last = !strcmp(v->string, "unknown") || !strcmp(v->string, "other");
        if (shown == 2 || last || n + 24 > room) continue;
        int used = snprintf(out + n, room - n, "%s%.12s %.6s", shown++ ? ", " : "", v->string,
                            percent_text(share, v->valuedouble));
        n += used > 0 ? (size_t)used : 0;
    }
    return *out ? out : "cannot say";
}

static void put_funnel(const cJSON *h)
{
    const cJSON *core = of(h, "core"), *c = core ? core->child : NULL, *p = of(h, "popularity");
    field f[5];
    char languages[TEXT];
    size_t n = 0;
    if (!c || !p) return;
#define FIELD(name, call) (f[n].label = name, call, n++)
    FIELD("held by the top 1% of items", percent_text(f[n].value, number(p, "top_1_percent")));
    FIELD("held by the top 10%", percent_text(f[n].value, number(p, "top_10_percent")));
    FIELD("Gini of popularity", (void)snprintf(f[n].value, TEXT, "%.2f", number(p, "gini")));
    FIELD("items chosen once", part_text(f[n].value, number(p, "single"), number(h, "items")));
    if (number(h, "text_coverage") > 0)
        FIELD("texts in", (void)snprintf(f[n].value, TEXT, "%s",
                                         language_text(languages, sizeof languages, of(h, "text_languages"))));
#undef FIELD
    printf("\n  %-*s%s\n", COLUMN + BETWEEN, "core      people      items rows kept", "the long tail");
    for (size_t k = 0; c || k < n; k++) {
        gap(2);
        if (c) put_core(c, number(h, "interactions"));
        else gap(COLUMN);
        if (k < n) {
            gap(BETWEEN);
            put_field(f[k].label, f[k].value);
        }
        putchar('\n');
        if (c) c = c->next;
    }
}

/* ---- what to know ---- */

/* A sentence wrapped at `width` columns. */
static void put_wrapped(const char *text, int width)
{
    int at = 4;
    printf("  - ");
    while (*text) {
        size_t n = strcspn(text, " ");
        char word[128];
        snprintf(word, sizeof word, "%.*s", (int)(n < 127 ? n : 127), text);
        if (at > 4 && at + 1 + (int)n > width) {
            printf("\n    ");
            at = 4;
        } else if (at > 4) putchar(' '), at++;
        at += (int)cli_put_text(stdout, word, 0);
        text += n + (text[n] == ' ');
    }
    putchar('\n');
}

void cli_show_health(const cJSON *h)
{
    const cJSON *v, *warnings = of(h, "warnings");
    int width = cli_width() < 100 ? cli_width() : 100;
    printf("data health\n\n");
    put_counts(h);
    put_all_charts(h);
    put_funnel(h);
    if (cJSON_GetArraySize(warnings)) printf("\n  to know\n");
    cJSON_ArrayForEach(v, warnings) if (cJSON_IsString(v)) put_wrapped(v->valuestring, width);
}

void cli_show_inspected(const cJSON *answer)
{
    const cJSON *health = of(answer, "health");
    cJSON *rest = cJSON_Duplicate(answer, true);
    cJSON_DeleteItemFromObjectCaseSensitive(rest, "health");
    cli_show_fields(rest);
    cJSON_Delete(rest);
    if (!cJSON_IsObject(health)) return;
    putchar('\n');
    cli_show_health(health);
}
