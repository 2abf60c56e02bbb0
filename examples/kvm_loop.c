/*
 * The loop of a VMM around KVM_RUN, whose guest has its HPET and IOAPIC on a Southbridge server. Each vCPU thread has such a
 * loop and a session of its own.
 *
 *     cc -std=c11 -I clients/c -o kvm_loop examples/kvm_loop.c clients/c/southbridge.c
 *     ./kvm_loop unix:/run/southbridge/socket
 *
 * Here a stub stands for the vCPU, so that the example runs without /dev/kvm: it makes the exits that a guest makes which
 * programs a periodic timer and halts. With KVM, `run` is ioctl(vcpu_fd, KVM_RUN, 0) and `inject` is KVM_SIGNAL_MSI.
 */
#include <southbridge.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/kvm.h>)
#include <linux/kvm.h>
#define HAS_KVM_HEADER 1
#endif
#endif
#ifndef HAS_KVM_HEADER
/* As much of struct kvm_run as is used here. */
enum { KVM_EXIT_HLT = 5, KVM_EXIT_MMIO = 6, KVM_EXIT_SHUTDOWN = 8 };
struct kvm_run {
    uint32_t exit_reason;
    struct { uint64_t phys_addr; uint8_t data[8]; uint32_t len; uint8_t is_write; } mmio;
};
#endif

enum { PIN = 21, VECTOR = 0x42, TICKS = 5 };
static const uint64_t HPET = 0xfed00000, IOAPIC = 0xfec00000;

/* The stub: the guest's accesses in turn. A size of 0 is HLT. */
struct stub {
    struct kvm_run run;
    unsigned next, ticks;
    bool is_interrupted;
};

struct step { uint64_t address; uint32_t size; uint64_t value; bool is_write; };

static struct step step_of(unsigned number) {
    const struct step program[] = {
        /* Redirection entry 21: edge, fixed, to APIC 0. */
        {IOAPIC, 4, 0x10 + 2 * PIN, true}, {IOAPIC + 0x10, 4, VECTOR, true},
        /* Timer 1: periodic, to pin 21, every 5 ms of 10 ns; the second write is the period. */
        {HPET + 0x120, 8, PIN << 9 | 1 << 6 | 1 << 3 | 1 << 2, true}, {HPET + 0x128, 8, 500000, true},
        {HPET + 0x128, 8, 500000, true}, {HPET + 0x010, 8, 1, true},
        /* Then it halts, and reads the main counter in its interrupt handler. */
        {0, 0, 0, false}, {HPET + 0x0f0, 8, 0, false},
    };
    const unsigned length = sizeof program / sizeof program[0];
    return program[number < length ? number : length - 2 + (number - length) % 2];
}

static int run(struct stub *vcpu) {
    if (vcpu->next > 0 && vcpu->run.exit_reason == KVM_EXIT_MMIO && !vcpu->run.mmio.is_write) {
        uint64_t counter;
        memcpy(&counter, vcpu->run.mmio.data, sizeof counter);
        printf("tick %u: vector %#x, main counter %" PRIu64 "\n", ++vcpu->ticks, VECTOR, counter);
    }
    memset(&vcpu->run, 0, sizeof vcpu->run);
    struct step step = step_of(vcpu->next);
    vcpu->run.exit_reason = vcpu->ticks == TICKS ? KVM_EXIT_SHUTDOWN : step.size ? KVM_EXIT_MMIO : KVM_EXIT_HLT;
    if (step.size == 0) {
        /* A halted processor goes on with its next instruction when it is interrupted. */
        if (!vcpu->is_interrupted) return 0;
        vcpu->is_interrupted = false;
        vcpu->next++;
        return run(vcpu);
    }
    vcpu->run.mmio.phys_addr = step.address;
    vcpu->run.mmio.len = step.size;
    vcpu->run.mmio.is_write = step.is_write;
    memcpy(vcpu->run.mmio.data, &step.value, sizeof step.value);
    vcpu->next++;
    return 0;
}

/* With KVM: KVM_SIGNAL_MSI with the same destination, modes and vector, for an interrupt controller in the kernel. */
static void inject(struct stub *vcpu, const struct sb_event *event) {
    if (event->vector == VECTOR) vcpu->is_interrupted = true;
}

/* All that came, before the guest continues. */
static void deliver(struct stub *vcpu, struct sb_vcpu *session) {
    struct sb_event event;
    while (sb_next_event(session, &event)) {
        if (event.kind == SB_INTERRUPT) inject(vcpu, &event);
        if (event.kind == SB_GAP)
            fprintf(stderr, "events %" PRIu64 " to %" PRIu64 " were lost\n", event.from, event.sequence);
    }
}

static int mmio(struct sb_vcpu *session, struct kvm_run *exit) {
    uint64_t value = 0;
    if (exit->mmio.is_write) {
        memcpy(&value, exit->mmio.data, exit->mmio.len);
        return sb_write(session, exit->mmio.phys_addr, exit->mmio.len, value);
    }
    int result = sb_read(session, exit->mmio.phys_addr, exit->mmio.len, &value);
    /* Where no device is, a bus reads all ones. */
    if (result && strcmp(sb_error(session)->code, "address-unassigned") == 0) value = ~(uint64_t)0, result = 0;
    memcpy(exit->mmio.data, &value, exit->mmio.len);
    return result;
}

static int loop(struct stub *vcpu, struct sb_vcpu *session) {
    while (run(vcpu) == 0) {
        int result = 0;
        switch (vcpu->run.exit_reason) {
        case KVM_EXIT_MMIO: result = mmio(session, &vcpu->run); break;
        case KVM_EXIT_HLT: result = sb_wait(session, 10000) > 0 ? 0 : -1; break;
        case KVM_EXIT_SHUTDOWN: return 0;
        }
        if (result) return -1;
        deliver(vcpu, session);
    }
    return -1;
}

int main(int argc, char **argv) {
    struct sb_error error = {.code = ""};
    struct stub vcpu = {.next = 0};
    struct sb_vcpu *session = sb_connect(argc > 1 ? argv[1] : "http://127.0.0.1:8080", "default", 0, NULL, &error);
    if (!session) {
        fprintf(stderr, "%s: %s\n", error.code, error.message);
        return 1;
    }
    int result = loop(&vcpu, session);
    if (result) fprintf(stderr, "%s: %s\n", sb_error(session)->code, sb_error(session)->message);
    if (result == 0) result = sb_write(session, HPET + 0x120, 8, 0);
    sb_close(session);
    return result ? 1 : 0;
}
