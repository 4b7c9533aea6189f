/* The variables by which children are reached, set and put back. */
#define _GNU_SOURCE
#include "children.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "environment.h"

static struct {
    const char *name;
    char *before, *ours; /* owned; NULL: not set */
} changed[] = {{RUN_VARIABLE, NULL, NULL}, {PATH_VARIABLE, NULL, NULL}};

enum { N_CHANGED = sizeof changed / sizeof *changed };

static void put(size_t i, const char *value)
{
    const char *now = getenv(changed[i].name);
    if (!value || (now && strcmp(now, value) == 0))
        return;
    if (!changed[i].ours) {
        free(changed[i].before);
        changed[i].before = now ? strdup(now) : NULL;
    }
    free(changed[i].ours);
    changed[i].ours = strdup(value);
    environment_put(changed[i].name, value);
}

/* The settings, less what is only for this process, and where the run began. */
static char *text_for_children(const session *s)
{
    static const char *const own[] = {"base", "file", "application", "once", "quiet", "path_was"};
    char pid[32], *text = strdup("");
    snprintf(pid, sizeof pid, "%ld", (long)s->origin.pid);
    const struct {
        const char *key, *value;
    } origin[] = {
        {ORIGIN_PREFIX "base", s->origin.base},
        {ORIGIN_PREFIX "file", s->origin.file},
        {ORIGIN_PREFIX "run", s->origin.run},
        {ORIGIN_PREFIX "pid", pid},
    };
    for (size_t i = 0; text && i < s->settings.n; i++) {
        const setting *item = &s->settings.items[i];
        bool skip = strncmp(item->key, ORIGIN_PREFIX, strlen(ORIGIN_PREFIX)) == 0;
        for (size_t k = 0; k < sizeof own / sizeof *own; k++)
            skip = skip || strcmp(item->key, own[k]) == 0;
        if (!skip && !settings_add(&text, item->key, item->value))
            return NULL;
    }
    for (size_t i = 0; text && i < sizeof origin / sizeof *origin; i++)
        if (!settings_add(&text, origin[i].key, origin[i].value))
            return NULL;
    return text;
}

static char *path_for_children(const char *folder)
{
    const char *now = getenv(PATH_VARIABLE);
    size_t len = strlen(folder);
    char *path = NULL;
    if (now && strncmp(now, folder, len) == 0 && (now[len] == ':' || !now[len]))
        return NULL;
    if (asprintf(&path, "%s%s%s", folder, now ? ":" : "", now ? now : "") < 0)
        return NULL;
    return path;
}

void children_take_along(const session *s)
{
    const char *folder = settings_text(&s->settings, "start_folder", NULL);
    char *text = text_for_children(s), *path = folder ? path_for_children(folder) : NULL;
    put(0, text);
    put(1, path);
    free(text);
    free(path);
}

void children_leave(void)
{
    for (size_t i = 0; i < N_CHANGED; i++) {
        const char *now = getenv(changed[i].name);
        if (changed[i].ours && now && strcmp(now, changed[i].ours) == 0)
            environment_put(changed[i].name, changed[i].before);
        free(changed[i].ours);
        free(changed[i].before);
        changed[i].ours = changed[i].before = NULL;
    }
}
