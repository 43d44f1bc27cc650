#include "named_fds.h"

#include <string.h>

void named_init(named_fds *fds) {
    for (uint32_t i = 0; i < PM_NAMED_MAX; i++)
        fds->places[i].fd = -1;
}

uint32_t named_count(const named_fds *fds) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < PM_NAMED_MAX; i++)
        count += fds->places[i].fd >= 0;
    return count;
}

named_fd *named_find(named_fds *fds, const char *name) {
    for (uint32_t i = 0; i < PM_NAMED_MAX; i++)
        if (fds->places[i].fd >= 0 && strcmp(fds->places[i].name, name) == 0)
            return &fds->places[i];
    return NULL;
}

named_fd *named_place(named_fds *fds, const char *name) {
    named_fd *place = named_find(fds, name);
    for (uint32_t i = 0; i < PM_NAMED_MAX && place == NULL; i++)
        if (fds->places[i].fd < 0)
            place = &fds->places[i];
    if (place == NULL)
        return NULL;
    memset(place->name, 0, sizeof place->name);
    memcpy(place->name, name, strnlen(name, PM_NAME_MAX));
    return place;
}
