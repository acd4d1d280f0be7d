/* SPDX-License-Identifier: Apache-2.0 */
/* show_health.c - the data-health table. */
#include "cli/cli.h"

#include <string.h>
#include <time.h>

static double number(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

/* A count with thousands separated by commas. */
static void put_count(const char *label, double v, const char *note)
{
    char plain[32];
    int n = snprintf(plain, sizeof plain, "%.0f", v);
    printf("  %-28s", label);
    int width = n + (n - 1) / 3;
    printf("%*s", width < 12 ? 12 - width : 0, "");
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) putchar(',');
        putchar(plain[i]);
    }
    printf("%s\n", note);
}

static void put_bars(const cJSON *histogram)
{
    double most = 0;
    const cJSON *v;
    cJSON_ArrayForEach(v, histogram) most = v->valuedouble > most ? v->valuedouble : most;
    cJSON_ArrayForEach(v, histogram)
    {
        printf("    %-6s %10.0f  ", v->string, v->valuedouble);
        for (int i = 0; i < (int)(30 * v->valuedouble / (most > 0 ? most : 1) + 0.5); i++) fputs("█", stdout);
        putchar('\n');
    }
}

static void put_day(const char *label, double seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    char day[32] = "?";
    if (gmtime_r(&t, &tm)) strftime(day, sizeof day, "%Y-%m-%d", &tm);
    printf("  %-28s%12s\n", label, day);
}

void cli_show_health(const cJSON *h)
{
    const cJSON *v;
    printf("data health\n");
    put_count("rows read", number(h, "rows_read"), "");
    put_count("exact duplicates left out", number(h, "duplicates"), "");
    put_count("repeated person-item pairs", number(h, "repeated_pairs"), "");
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(h, "rejected"))
    {
        char label[64];
        snprintf(label, sizeof label, "rejected: %s", v->string);
        put_count(label, v->valuedouble, "");
    }
    put_count("people", number(h, "users"), "");
    put_count("items", number(h, "items"), "");
    put_count("items with a title", number(h, "items_with_title"), "");
    put_count("interactions", number(h, "interactions"), "");
    v = cJSON_GetObjectItemCaseSensitive(h, "text_coverage");
    if (cJSON_IsNumber(v)) printf("  %-28s%11.1f%%\n", "rows with text", 100 * v->valuedouble);
    v = cJSON_GetObjectItemCaseSensitive(h, "time_span");
    if (cJSON_GetArraySize(v) == 2) {
        put_day("first interaction", cJSON_GetArrayItem(v, 0)->valuedouble);
        put_day("last interaction", cJSON_GetArrayItem(v, 1)->valuedouble);
        put_count("people with ties in time", number(h, "users_with_time_ties"), "");
    } else printf("  %-28s%12s\n", "times", "none: file order");
    v = cJSON_GetObjectItemCaseSensitive(h, "ratings");
    if (cJSON_GetArraySize(v)) {
        printf("  ratings\n");
        put_bars(v);
    } else printf("  %-28s%12s\n", "ratings", "none");
}
