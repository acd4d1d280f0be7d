/* SPDX-License-Identifier: Apache-2.0 */
/* test_course_log.c - what a course says of itself: curves of bounded length, and lines of JSON. */
#include "check.h"
#include "course_problem.h"

#include "base/file.h"
#include "base/rng.h"
#include "gpt2/course_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- curves ---- */

static double number_at(const cJSON *curves, const char *name, const char *which, int i)
{
    const cJSON *list = cJSON_GetObjectItem(cJSON_GetObjectItem(curves, name), which);
    if (i < 0) return cJSON_GetArraySize(list);
    return cJSON_GetNumberValue(cJSON_GetArrayItem(list, i));
}

static void a_short_course_is_all_in_its_curves(void **state)
{
    (void)state;
    problem *p = problem_new();
    p->at[3] = NOTHING;
    p->at[5] = NAN_LOSS;
    p->at[80] = HIGH_LOSS;
    course_started(p);
    cJSON *o = course_curves(p);
    CHECK(!o->child); /* nothing happened yet */
    cJSON_Delete(o);
    course_done(p);
    o = course_curves(p);
    CHECK(cJSON_GetArraySize(o) == 2 && number_at(o, "loss", "value", -1) == STEPS - 3);
    CHECK(number_at(o, "judged", "value", -1) == STEPS / KEEP);
    int at = 0;
    for (uint64_t s = 1; s <= STEPS; s++) {
        if (p->at[s] != NONE) continue;
        tdm_rng rng = tdm_rng_make(7, 0, s);
        double loss = 3;
        for (size_t i = 0; i < N; i++) {
            float g = p->seen[s][i] - (float)i + 0.1f * (float)tdm_rng_unit(&rng);
            loss += (double)(g * g) / 2;
        }
        CHECK(number_at(o, "loss", "step", at) == (double)s);
        assert_float_equal(number_at(o, "loss", "value", at), loss, 1e-12);
        at++;
    }
    for (int i = 0; i < STEPS / KEEP; i++) {
        CHECK(number_at(o, "judged", "step", i) == (i + 1) * KEEP);
        assert_float_equal(number_at(o, "judged", "value", i), 1.0 / ((i + 1) * KEEP), 1e-12);
    }
    cJSON_Delete(o);
    course_stop(p);
    free(p);
}

/* Of whatever length: bounded points, steps that rise to the last one, and the mean of all that went in. */
static void a_long_course_has_few_points(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {1, 199, 200, 201, 399, 400, 5000, 123457};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        tdm_curve k = {.every = 1};
        double sum = 0, mass = 0, all = 0, of = 0;
        for (uint64_t s = 1; s <= lengths[i]; s++) {
            double value = (double)(s * s % 101), weight = (double)(1 + s % 7);
            tdm_curve_add(&k, s, value, weight);
            CHECK(tdm_curve_possible(&k));
            sum += value * weight;
            mass += weight;
        }
        size_t n = (size_t)k.n + (k.count > 0);
        CHECK(n <= COURSE_POINTS && (n >= COURSE_POINTS / 2 || n == lengths[i]));
        CHECK(k.point[n - 1].step == (double)lengths[i]);
        for (size_t p = 0; p < n; p++) {
            CHECK(!p || k.point[p].step > k.point[p - 1].step);
            all += k.point[p].value * k.point[p].weight;
            of += k.point[p].weight;
        }
        CHECK(of == mass);
        assert_float_equal(all, sum, 1e-9 * sum);
    }
}

/* ---- the log ---- */

static void the_log_is_lines_of_json(void **state)
{
    (void)state;
    static const char *const keys[] = {"step",      "steps",      "epoch",   "loss",    "rate",        "norm",
                                       "rss_bytes", "peak_bytes", "skipped", "returns", "seconds_left"};
    char path[64];
    course_file_name(path, "log");
    unlink(path);
    tdm_err err;
    problem *p = problem_new();
    course_mishaps(p);
    p->log = path;
    course_started(p);
    course_done(p);
    tdm_course_log(p->course, "ndcg@10", 0.25);
    course_stop(p);
    tdm_map map;
    CHECK_OK(tdm_map_open(&map, path, &err), err);
    size_t lines = 0, left_out = 0, judged = 0, beside = 0, no_loss = 0;
    const char *at = (const char *)map.p, *end = at + map.n;
    for (const char *next; at < end; at = next + 1, lines++) {
        cJSON *o;
        next = memchr(at, '\n', (size_t)(end - at));
        assert_non_null(next);
        CHECK_OK(tdm_json_parse(&o, at, (size_t)(next - at), "a line", &err), err);
        assert_string_equal(tdm_json_str(o, "model", ""), "gpt2-toy");
        if (cJSON_GetObjectItem(o, "ndcg@10")) {
            judged++;
            CHECK(tdm_json_num(o, "ndcg@10", 0) == 0.25 && tdm_json_num(o, "step", 0) == STEPS);
        } else if (cJSON_GetObjectItem(o, "judged") || cJSON_GetObjectItem(o, "nobody's")) beside++;
        else {
            uint64_t step = (uint64_t)tdm_json_num(o, "step", 0);
            bool made = tdm_json_bool(o, "made", true);
            for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
                if (!cJSON_GetObjectItem(o, keys[i])) fail_msg("update %zu has no %s", (size_t)step, keys[i]);
            const tdm_schedule s = {0.05, 5, STEPS, 0.1};
            double share = step > 46 + TDM_COURSE_ROW - 1 ? 0.5 : 1;
            assert_float_equal(tdm_json_num(o, "rate", 0), tdm_schedule_rate(&s, step) * share, 1e-12);
            CHECK(made == (p->at[step] == NONE) && tdm_json_num(o, "epoch", 0) == (double)((step - 1) / 20 + 1));
            CHECK(tdm_json_num(o, "rss_bytes", 0) > 1e5);
            CHECK(!made || tdm_json_num(o, "tokens_per_second", 0) > 0);
            left_out += !made;
            no_loss += cJSON_IsNull(cJSON_GetObjectItem(o, "loss"));
        }
        cJSON_Delete(o);
    }
    CHECK(beside == 2 * STEPS / KEEP);
    lines -= beside;
    CHECK(lines == STEPS && judged == 1); /* one update had nothing to learn from; one line is the judge's */
    CHECK(left_out == 3 + TDM_COURSE_ROW && no_loss == TDM_COURSE_ROW);
    tdm_map_close(&map);
    unlink(path);
    p->log = "/nowhere/log";
    CHECK(course_start(p, &err) == TDM_E_IO && strstr(err.msg, "/nowhere/log"));
    course_stop(p);
    p->log = "/dev/full"; /* a training is worth more than its log */
    course_started(p);
    course_done(p);
    CHECK(strstr(p->said, "/dev/full: could not be written") && tdm_course_tell(p->course).step == STEPS);
    course_stop(p);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_course_is_all_in_its_curves),
        cmocka_unit_test(a_long_course_has_few_points),
        cmocka_unit_test(the_log_is_lines_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
