/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.c - progress, log and Ctrl-C.
 *
 * Where standard error is a terminal a stage has one line that is drawn again a few times a second; elsewhere it has a
 * plain line every few seconds. A finished stage leaves one line with the time it took. The run's callbacks come from
 * the calling thread only, so the state needs no lock; it is static because a program has one terminal. */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static struct {
    bool tty, quiet;
    size_t verbose;
    FILE *log;
    char stage[32];
    double began, drawn, counted; /* counted: when `first` was said */
    uint64_t done, total, first;  /* first: what was done before counting began, such as before an interruption */
    bool open;                    /* a progress line stands unfinished on the terminal */
} T;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int cli_width(void)
{
    struct winsize w;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20) return w.ws_col;
    return 100;
}

static const char *span(char out[32], double s)
{
    if (s < 10) snprintf(out, 32, "%.1fs", s);
    else if (s < 60) snprintf(out, 32, "%.0fs", s);
    else if (s < 3600) snprintf(out, 32, "%dm%02ds", (int)s / 60, (int)s % 60);
    else snprintf(out, 32, "%dh%02dm", (int)s / 3600, (int)s % 3600 / 60);
    return out;
}

static void clear_line(void)
{
    if (T.open) fputs("\r\033[K", stderr);
    T.open = false;
}

static void stage_end(void)
{
    char took[32];
    if (!T.stage[0] || T.quiet) return;
    clear_line();
    fprintf(stderr, "%-14s done in %s\n", T.stage, span(took, seconds() - T.began));
    T.stage[0] = 0;
}

static int columns(void)
{
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 100;
}

/* What is wider than the terminal would go on in a second line, which the next redraw leaves behind. */
static void redraw(const char *line)
{
    fputs("\r\033[K", stderr);
    cli_put_text(stderr, line, (size_t)columns() - 1);
}

static void draw(uint64_t done, uint64_t total, const char *note)
{
    char took[32], left[32], line[256];
    double now = seconds(), spent = now - T.began;
    const char *tail = note ? note : "";
    if (total && done > T.first) {
        double working = now - T.counted, rate = (double)(done - T.first) / (working > 1e-9 ? working : 1e-9);
        double remaining = (double)(total > done ? total - done : 0) / rate;
        double percent = 100.0 * (double)done / (double)total;
        if (T.tty) {
            int bar = columns() < 110 ? 10 : 20, filled = (int)(percent * bar / 100);
            snprintf(line, sizeof line, "%-14s [%.*s%*s] %3.0f%%  %.3g/s  %s left  %s", T.stage, filled,
                     "####################", bar - filled, "", percent, rate, span(left, remaining), tail);
            redraw(line);
        } else {
            fprintf(stderr, "%-14s %3.0f%%  %.3g/s  %s left  %s\n", T.stage, percent, rate, span(left, remaining),
                    tail);
        }
    } else if (T.tty) {
        snprintf(line, sizeof line, "%-14s %llu  %s  %s", T.stage, (unsigned long long)done, span(took, spent), tail);
        redraw(line);
    } else {
        fprintf(stderr, "%-14s %llu  %s  %s\n", T.stage, (unsigned long long)done, span(took, spent), tail);
    }
    fflush(stderr);
    T.open = T.tty;
    T.drawn = now;
}

static void on_progress(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    (void)ctx;
    if (T.quiet) return;
    if (strncmp(stage, T.stage, sizeof T.stage - 1)) {
        stage_end();
        snprintf(T.stage, sizeof T.stage, "%s", stage);
        T.began = seconds();
        T.drawn = T.tty ? 0 : T.began; /* without a terminal the first line comes after the pause */
        T.counted = 0;
    }
    if (total && T.counted <= 0) {
        T.first = done > 1 ? done : 0;
        T.counted = T.first ? seconds() : T.began;
    }
    if (seconds() - T.drawn >= (T.tty ? 0.1 : 5.0)) draw(done, total, note);
}

static void log_line(const char *level, const char *stage, const char *message)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    struct tm tm;
    char when[32];
    gmtime_r(&t.tv_sec, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    cJSON *line = cJSON_CreateObject();
    char stamp[48];
    snprintf(stamp, sizeof stamp, "%s.%03ldZ", when, t.tv_nsec / 1000000);
    cJSON_AddStringToObject(line, "time", stamp);
    cJSON_AddStringToObject(line, "level", level);
    cJSON_AddStringToObject(line, "stage", stage);
    cJSON_AddStringToObject(line, "message", message);
    char *text = cJSON_PrintUnformatted(line);
    if (text) fprintf(T.log, "%s\n", text);
    fflush(T.log);
    cJSON_free(text);
    cJSON_Delete(line);
}

static void on_log(void *ctx, tdm_log_level level, const char *stage, const char *message)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    (void)ctx;
    if (T.log) log_line(names[level], stage, message);
    bool wanted = level == TDM_LOG_ERROR || (level == TDM_LOG_WARN && !T.quiet) ||
                  (level == TDM_LOG_INFO && T.verbose) || (level == TDM_LOG_DEBUG && T.verbose > 1);
    if (!wanted) return;
    clear_line();
    fprintf(stderr, "%-14s %s%s\n", stage, level <= TDM_LOG_WARN ? "note: " : "", message);
}

tdm_status cli_run_open(tdm_run **run, const cli_args *a, tdm_err *err)
{
    *run = NULL;
    T.tty = isatty(STDERR_FILENO) && !getenv("NO_PROGRESS");
    T.quiet = a->quiet;
    T.verbose = a->verbose;
    if (a->log && !(T.log = fopen(a->log, "a"))) {
        snprintf(err->msg, sizeof err->msg, "%s: could not open the log: %s", a->log, strerror(errno));
        return TDM_E_IO;
    }
    tdm_run_options o = {.threads = a->threads, .seed = a->seed, .log = on_log, .progress = on_progress};
    cli_interrupt_block(); /* before there are other threads, which then block them too */
    tdm_status st = tdm_run_open(run, &o, err);
    if (!st) cli_interrupt_begin(*run);
    return st;
}

void cli_run_close(tdm_run *run)
{
    stage_end();
    cli_interrupt_end();
    tdm_run_close(run);
    if (T.log) fclose(T.log);
    T.log = NULL;
}

int cli_fail(tdm_status st, const tdm_err *err)
{
    clear_line();
    T.stage[0] = 0; /* what failed is not done */
    if (T.log) log_line("error", "tandem", err->msg);
    fprintf(stderr, "tandem: %s\n", err->msg[0] ? err->msg : tdm_status_text(st));
    return st == TDM_E_CANCELLED ? CLI_INTERRUPTED : CLI_COULD_NOT;
}

static size_t characters(const char *s)
{
    size_t n = 0;
    for (; *s; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

size_t cli_put_text(FILE *to, const char *text, size_t columns)
{
    size_t n = characters(text), keep = columns && n > columns ? columns - 1 : n, put = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool begins = (*c & 0xc0) != 0x80;
        if (begins && put == keep) break;
        put += begins;
        bool c1 = *c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0; /* U+0080..U+009F: control characters too */
        if (c1) c++;
        fputc(*c < 0x20 || *c == 0x7f || c1 ? ' ' : *c, to);
    }
    if (keep < n) fputs("…", to);
    return put + (keep < n);
}
