/* SPDX-License-Identifier: Apache-2.0 */
/* course_log.c - what a course says while it runs: a note for who watches, and lines of JSON for who asked for them.
 *
 * About THOUSAND lines a training, and one for every update that is left out. Times and memory are measured: nothing
 * else may depend on this file. */
#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "gpt2/course_parts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { THOUSAND = 1000 };

tdm_status tdm_course_log_open(tdm_course *c, tdm_err *err)
{
    c->log.every = (c->p.schedule.steps + THOUSAND - 1) / THOUSAND;
    if (!c->p.log) return TDM_OK;
    c->log.to = fopen(c->p.log, "ae");
    if (c->log.to) return TDM_OK;
    return tdm_fail(err, TDM_E_IO, "%s: could not open the log of trainings: %s", c->p.log, strerror(errno));
}

static void put(tdm_course *c, cJSON *o)
{
    char *text = o ? cJSON_PrintUnformatted(o) : NULL;
    bool fine = text && fprintf(c->log.to, "%s\n", text) > 0;
    if ((fflush(c->log.to) || !fine) && !c->log.failed) { /* a training is worth more than its log */
        c->log.failed = true;
        tdm_log(c->p.run, TDM_LOG_WARN, c->p.name, "%s: could not be written; the training goes on", c->p.log);
    }
    cJSON_free(text);
    cJSON_Delete(o);
}

static void memory(cJSON *o)
{
    cJSON_AddNumberToObject(o, "rss_bytes", (double)tdm_resident_memory());
    cJSON_AddNumberToObject(o, "peak_bytes", (double)tdm_peak_memory());
}

static void line(tdm_course *c, const tdm_course_batch *b, double rate, double norm, bool made)
{
    double now = tdm_seconds(), tokens = c->log.tokens, done = (double)(c->step - c->from);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", c->p.name);
    cJSON_AddNumberToObject(o, "step", (double)c->step);
    cJSON_AddNumberToObject(o, "steps", (double)c->p.schedule.steps);
    cJSON_AddNumberToObject(o, "epoch", (double)b->epoch + 1);
    cJSON_AddNumberToObject(o, "loss", made ? c->log.loss / tokens : b->loss); /* no number becomes null */
    cJSON_AddNumberToObject(o, "rate", rate);
    cJSON_AddNumberToObject(o, "norm", norm);
    cJSON_AddBoolToObject(o, "made", made);
    if (made) {
        cJSON_AddNumberToObject(o, "tokens_per_second", tokens / fmax(now - c->log.since, 1e-9));
        c->log.loss = c->log.tokens = 0;
        c->log.since = now;
    }
    cJSON_AddNumberToObject(o, "seconds_left", (double)(c->p.schedule.steps - c->step) * (now - c->began) / done);
    memory(o);
    cJSON_AddNumberToObject(o, "skipped", (double)c->skipped);
    cJSON_AddNumberToObject(o, "returns", (double)c->returns);
    put(c, o);
}

static void note(tdm_course *c, const tdm_course_batch *b, double rate)
{
    char text[96];
    double now = tdm_seconds();
    if (now - c->looked > 0.5) {
        c->looked = now;
        c->resident = tdm_resident_memory();
    }
    snprintf(text, sizeof text, "loss %.3f, rate %.0e, %.0f MB, epoch %llu", c->recent, rate, (double)c->resident / 1e6,
             (unsigned long long)b->epoch + 1);
    tdm_progress(c->p.run, c->p.name, c->step, c->p.schedule.steps, text);
}

void tdm_course_log_update(tdm_course *c, const tdm_course_batch *b, double rate, double norm, bool made)
{
    note(c, b, rate);
    if (made) {
        c->log.loss += b->loss * (double)b->tokens;
        c->log.tokens += (double)b->tokens;
    }
    if (!c->log.to) return;
    if (!made || c->step % c->log.every == 0 || c->step == c->p.schedule.steps) line(c, b, rate, norm, made);
}

void tdm_course_log(tdm_course *c, const char *key, double value)
{
    for (size_t i = 1; i < c->n_curves; i++)
        if (!strcmp(c->curve_name[i], key) && isfinite(value)) tdm_curve_add(&c->curve[i], c->step, value, 1);
    if (!c->log.to) return;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", c->p.name);
    cJSON_AddNumberToObject(o, "step", (double)c->step);
    cJSON_AddNumberToObject(o, "steps", (double)c->p.schedule.steps);
    cJSON_AddNumberToObject(o, key, value);
    memory(o);
    put(c, o);
}
