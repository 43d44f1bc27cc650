#include "include/pm_mutex.h"

#include <pthread.h>
#include <stdlib.h>

struct pm_mutex {
    pthread_mutex_t mutex;
};

pm_mutex *pm_mutex_create(void) {
    pm_mutex *made = malloc(sizeof *made);
    if (made == NULL)
        return NULL;
    pthread_mutex_init(&made->mutex, NULL);
    return made;
}

void pm_mutex_lock(pm_mutex *mutex) {
    pthread_mutex_lock(&mutex->mutex);
}

void pm_mutex_unlock(pm_mutex *mutex) {
    pthread_mutex_unlock(&mutex->mutex);
}
