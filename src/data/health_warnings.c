/* SPDX-License-Identifier: Apache-2.0 */
/* health_warnings.c - what of the table a user should act on or at least know, in sentences with the number. */
#include "data/health_parts.h"

#include <stdio.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

static double number(const cJSON *o, const char *key) { return tdm_json_num(o, key, 0); }

static void put_count(tdm_buf *b, double v)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%.0f", v);
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) tdm_buf_char(b, ',');
        tdm_buf_char(b, digits[i]);
    }
}

static void put_percent(tdm_buf *b, double share)
{
    double p = 100 * share;
    tdm_buf_fmt(b, p < 10 && p > 0 ? "%.1f%%" : "%.0f%%", p);
}

/* %c: a count, %p: a share as per cent, %s: the word, %%: itself; the sentence goes onto the list. */
static void say(cJSON *list, const char *format, const double *v, const char *word)
{
    tdm_buf b = {0};
    for (const char *p = format; *p; p++) {
        if (*p != '%') tdm_buf_char(&b, *p);
        else if (*++p == '%') tdm_buf_char(&b, '%');
        else if (*p == 'c') put_count(&b, *v++);
        else if (*p == 'p') put_percent(&b, *v++);
        else tdm_buf_str(&b, word);
    }
    cJSON *holder = cJSON_CreateObject(), *s = b.failed ? NULL : tdm_json_add_text(holder, "s", (tdm_str){b.p, b.n});
    if (s) cJSON_AddItemToArray(list, cJSON_DetachItemViaPointer(holder, s));
    cJSON_Delete(holder);
    tdm_buf_clear(&b);
}

#define SAY(format, word, ...) say(list, format, (const double[]){__VA_ARGS__}, word)

static void of_reading(cJSON *list, const cJSON *h)
{
    double read = number(h, "rows_read"), rejected = 0, duplicates = number(h, "duplicates");
    const cJSON *v;
    if (!(read > 0)) return;
    cJSON_ArrayForEach(v, of(h, "rejected")) rejected += v->valuedouble;
    if (rejected > 0.01 * read) SAY("%c of %c rows (%p) could not be used.", "", rejected, read, rejected / read);
    if (duplicates > 0.05 * read)
        SAY("%c of %c rows (%p) were exact duplicates and are left out.", "", duplicates, read, duplicates / read);
}

static void of_people(cJSON *list, const cJSON *h)
{
    double U = number(h, "users"), N = number(h, "interactions"), again = number(h, "repeated_pairs");
    double one = number(of(of(h, "history"), "histogram"), "1");
    if (one > 0.2 * U)
        SAY("%c of %c people (%p) have a single interaction: nothing can be learned from them or judged on them.", "",
            one, U, one / U);
    if (again > 0.05 * N)
        SAY("%c of %c interactions (%p) repeat a pair of a person and an item; --duplicates says what counts.", "",
            again, N, again / N);
    const cJSON *bots = of(h, "bots");
    double flagged = number(bots, "users");
    if (flagged > 0)
        SAY(flagged == 1
                ? "%c person chose faster than a hand can and has %p of the interactions; nothing was removed."
                : "%c people chose faster than a hand can and have %p of the interactions; nothing was removed.",
            "", flagged, number(bots, "share"));
}

static void of_items(cJSON *list, const cJSON *h)
{
    const cJSON *p = of(h, "popularity"), *same = of(h, "same_titles");
    double I = number(h, "items"), N = number(h, "interactions"), titled = number(h, "items_with_title");
    double single = number(p, "single"), top = number(p, "top_1_percent");
    if (!(I > 0)) return;
    if (I >= 100 && top > 0.4)
        SAY("The most popular 1%% of items have %p of the interactions: recommending them to everybody will look good.",
            "", top);
    if (single > 0.5 * I)
        SAY("%c of %c items (%p) were chosen once: only their texts can place them.", "", single, I, single / I);
    if (titled == 0) SAY("No item has a title: answers show ids.", "", 0);
    else if (titled < 0.9 * I)
        SAY("%c of %c items (%p) have no title: answers show their ids.", "", I - titled, I, 1 - titled / I);
    if (number(same, "items") > 0.01 * I)
        SAY("%c items have the title of another one: one thing may be there under several ids.", "",
            number(same, "items"));
    double kept = number(of(of(h, "core"), "5"), "interactions");
    if (kept == 0) SAY("With --core 5 nothing would be left.", "", 0);
    else if (kept < 0.1 * N) SAY("With --core 5 %c of %c interactions (%p) would be left.", "", kept, N, kept / N);
}

static void of_times(cJSON *list, const cJSON *h)
{
    double U = number(h, "users"), N = number(h, "interactions"), timed = number(h, "interactions_with_time");
    double tied = number(h, "users_with_time_ties");
    const cJSON *busy = of(h, "busiest_instant");
    if (timed == 0) {
        SAY("There are no times: the order is the file's, and a split by time is one by place.", "", 0);
        return;
    }
    if (timed < N) SAY("%c of %c interactions have no time and count as the oldest.", "", N - timed, N);
    if (cJSON_IsTrue(of(h, "times_in_days")))
        SAY("Times are whole days: what somebody did first on one day is not known.", "", 0);
    if (tied > 0.05 * U)
        SAY("%c of %c people have interactions at one instant: their order is only the file's.", "", tied, U);
    if (number(busy, "share") > 0.05)
        SAY("%p of all interactions are at one instant: that looks like an import.", "", number(busy, "share"));
}

static void of_ratings(cJSON *list, const cJSON *h)
{
    const cJSON *v, *most = NULL;
    double rated = 0;
    cJSON_ArrayForEach(v, of(h, "ratings"))
    {
        rated += v->valuedouble;
        if (!most || v->valuedouble > most->valuedouble) most = v;
    }
    if (!most) SAY("There are no ratings: that somebody chose an item is all that is known.", "", 0);
    if (most && most->valuedouble >= 0.5 * rated)
        SAY("%p of the ratings are %s: they tell little of what people like less.", most->string,
            most->valuedouble / rated);
}

static void of_texts(cJSON *list, const cJSON *h)
{
    const cJSON *v;
    tdm_buf several = {0};
    double coverage = number(h, "text_coverage");
    int n = 0;
    if (coverage == 0) SAY("Nobody wrote a text: sentences rest on titles and on who chose what.", "", 0);
    cJSON_ArrayForEach(v, of(h, "text_languages"))
    {
        if (v->valuedouble < 0.1 || !strcmp(v->string, "unknown")) continue;
        tdm_buf_fmt(&several, "%s%s ", n++ ? ", " : "", v->string);
        put_percent(&several, v->valuedouble);
    }
    if (n > 1 && !several.failed) SAY("The texts are in several languages: %s.", several.p, 0);
    tdm_buf_clear(&several);
}

tdm_status tdm_health_warnings(cJSON *h, tdm_err *err)
{
    cJSON *list = cJSON_CreateArray();
    if (!list) return tdm_nomem(err, "the health table");
    of_reading(list, h);
    of_times(list, h);
    of_people(list, h);
    of_ratings(list, h);
    of_items(list, h);
    of_texts(list, h);
    return tdm_health_put(h, "warnings", list) ? TDM_OK : tdm_nomem(err, "the health table");
}
