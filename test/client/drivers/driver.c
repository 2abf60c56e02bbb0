/*
 * Drives the client of clients/c by commands from standard input, one on a line, for other-languages.test.ts. Each is
 * answered by its events and then by one line.
 */
#include "../../../clients/c/southbridge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_events(struct sb_vcpu *vcpu) {
    struct sb_event e;
    while (sb_next_event(vcpu, &e)) {
        if (e.kind == SB_INTERRUPT)
            printf("interrupt %" PRIu64 " %u %u %d %d %u\n", e.sequence, e.vector, e.delivery_mode, e.level_triggered,
                   e.logical, e.destination);
        else if (e.kind == SB_INTR) printf("intr %" PRIu64 " %d\n", e.sequence, e.level);
        else {
            printf(e.kind == SB_GAP ? "gap %" PRIu64 " %" PRIu64 : "restored %" PRIu64 " %" PRIu64, e.from, e.sequence);
            if (e.has_lines) printf(" %" PRIu32 " %" PRIu32, e.hpet_lines, e.external_lines);
            if (e.has_level) printf(" intr %d", e.level);
            printf("\n");
        }
    }
}

/* Accesses such as r:0xfed00000:8 and w:0xfed00010:4:1. */
static int batch(struct sb_vcpu *vcpu, char **words, int count, char *text, size_t size) {
    struct sb_access *accesses = calloc(count ? (size_t)count : 1, sizeof *accesses);
    for (int i = 0; i < count; i++) {
        char *at = words[i] + 2;
        accesses[i].write = words[i][0] == 'w';
        accesses[i].address = strtoull(at, &at, 0);
        accesses[i].size = (uint8_t)strtoul(at + 1, &at, 0);
        if (accesses[i].write) accesses[i].value = strtoull(at + 1, &at, 0);
    }
    int result = sb_batch(vcpu, accesses, (size_t)count);
    size_t used = (size_t)snprintf(text, size, "results");
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, " 0x%" PRIx64, accesses[i].write ? 0 : accesses[i].value);
    free(accesses);
    return result;
}

/* NS TO_DEADLINE [ADDRESS SIZE] */
static int step_clock(struct sb_vcpu *vcpu, const uint64_t *n, char *text, size_t size) {
    struct sb_step step = {.ns = n[1], .to_deadline = n[2] != 0, .read_address = n[3], .read_size = (unsigned)n[4]};
    int result = sb_step_clock(vcpu, &step);
    snprintf(text, size, "stepped %" PRIu64 " %" PRIu64 " 0x%" PRIx64, step.time, step.has_deadline ? step.deadline : 0,
             step.value);
    return result;
}

static int drive(struct sb_vcpu *vcpu, const char *name, bool level) {
    return sb_input(vcpu, strcmp(name, "pit") == 0 ? SB_PIT : strcmp(name, "rtc") == 0 ? SB_RTC : SB_XEN, level);
}

static int execute(struct sb_vcpu *vcpu, char **words, int count, char *text, size_t size) {
    const char *name = words[0];
    uint64_t n[5] = {0};
    uint8_t byte = 0;
    for (int i = 1; i < count && i < 5; i++) n[i] = strtoull(words[i], NULL, 0);
    snprintf(text, size, "ok");
    if (strcmp(name, "read") == 0) {
        int result = sb_read(vcpu, n[1], (unsigned)n[2], &n[0]);
        snprintf(text, size, "value 0x%" PRIx64, n[0]);
        return result;
    }
    if (strcmp(name, "write") == 0) return sb_write(vcpu, n[1], (unsigned)n[2], n[3]);
    if (strcmp(name, "post") == 0) return sb_post(vcpu, n[1], (unsigned)n[2], n[3]);
    if (strcmp(name, "batch") == 0) return batch(vcpu, words + 1, count - 1, text, size);
    if (strcmp(name, "out") == 0) return sb_port_out(vcpu, (uint16_t)n[1], (uint8_t)n[2]);
    if (strcmp(name, "in") == 0 || strcmp(name, "inta") == 0) {
        int result = strcmp(name, "in") == 0 ? sb_port_in(vcpu, (uint16_t)n[1], &byte) : sb_inta(vcpu, &byte);
        snprintf(text, size, "value 0x%x", byte);
        return result;
    }
    if (strcmp(name, "line") == 0) return sb_line(vcpu, (unsigned)n[1], n[2] != 0);
    if (strcmp(name, "eoi") == 0) return sb_eoi(vcpu, (uint8_t)n[1]);
    if (strcmp(name, "apic") == 0) return sb_apic(vcpu, (uint8_t)n[1], strcmp(words[2], "cluster") == 0);
    if (strcmp(name, "step") == 0) return sb_step(vcpu, n[1]);
    if (strcmp(name, "step-clock") == 0) return step_clock(vcpu, n, text, size);
    if (strcmp(name, "input") == 0) return drive(vcpu, words[1], n[2] != 0);
    if (strcmp(name, "sync") == 0) return sb_sync(vcpu);
    if (strcmp(name, "reconnect") == 0) return sb_reconnect(vcpu);
    if (strcmp(name, "wait") == 0) {
        int result = sb_wait(vcpu, (int)n[1]);
        snprintf(text, size, "%s", result ? "woken" : "timeout");
        return result < 0 ? -1 : 0;
    }
    if (strcmp(name, "token") == 0) {
        snprintf(text, size, "token %s", sb_resume_token(vcpu));
        return 0;
    }
    snprintf(text, size, "unknown command");
    return 0;
}

static int number_in(const char *variable, int otherwise) {
    const char *text = getenv(variable);
    return text ? atoi(text) : otherwise;
}

/* URL MACHINE VCPU [TOKEN [RESUME_TOKEN]] */
int main(int argc, char **argv) {
    static char line[65536], text[65536];
    char *words[2048];
    struct sb_error error = {.code = ""};
    struct sb_options options = {
        .token = argc > 4 && argv[4][0] ? argv[4] : NULL,
        .resume_token = argc > 5 ? argv[5] : NULL,
        .timeout_ms = number_in("TIMEOUT_MS", 10000),
        .connect_ms = number_in("CONNECT_MS", 0),
        .retry_ms = number_in("RETRY_MS", 0),
        .no_follow = number_in("NO_FOLLOW", 0) != 0,
    };
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 4) return 2;
    struct sb_vcpu *vcpu = sb_connect(argv[1], argv[2], (unsigned)atoi(argv[3]), &options, &error);
    printf(vcpu ? "open\n" : "error %s\n", error.code);
    while (vcpu && fgets(line, sizeof line, stdin)) {
        int count = 0;
        for (char *word = strtok(line, " \n"); word && count < 2048; word = strtok(NULL, " \n")) words[count++] = word;
        if (count == 0) continue;
        int result = execute(vcpu, words, count, text, sizeof text);
        print_events(vcpu);
        if (result) printf("error %s\n", sb_error(vcpu)->code);
        else printf("%s\n", text);
    }
    sb_close(vcpu);
    return 0;
}
