# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `make` builds build/hydraguard; `make test`, `make demo` and `make bench` set up what they need.

CC	?= gcc
CLANG	?= clang
BPFTOOL	?= bpftool
V	?= 0
Q	:= $(if $(filter 1,$(V)),,@)
say	= @printf '  %-7s %s\n' $(1) $(2)

B	:= build
CFLAGS	?= -O2 -g
WARN	:= -Wall -Wextra -Werror -Wno-unused-parameter
BASE	:= -std=gnu11 -D_GNU_SOURCE $(WARN) -I. -I$(B) -MMD -MP
SAN	:= -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -I/usr/include/x86_64-linux-gnu \
	$(WARN) -Wno-unused-function -MMD -MP
LIBS	:= -lbpf -lelf -lz -lyaml -ljson-c

BPF_SRC	:= $(wildcard bpf/*.bpf.c)
POL_SRC	:= $(wildcard policy/*.c)
POL_OBJ	:= $(POL_SRC:%.c=$(B)/%.o) $(B)/policy/presets_gen.o
SAN_OBJ	:= $(POL_SRC:%.c=$(B)/san/%.o) $(B)/san/policy/presets_gen.o
USER_SRC := $(wildcard user/*.c)
USER_OBJ := $(USER_SRC:%.c=$(B)/%.o)
USER_SAN := $(filter-out $(B)/san/user/main.o,$(USER_SRC:%.c=$(B)/san/%.o))
UNIT	:= $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
FUZZ	:= $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
ACTS	:= $(patsubst tests/acts/%.c,$(B)/tests/acts/%,$(wildcard tests/acts/*.c))
KERNEL	:= $(patsubst tests/kernel/%.c,$(B)/tests/kernel/%,$(filter-out %.bpf.c,$(wildcard tests/kernel/*.c)))
PERF	:= $(patsubst tests/perf/%.c,$(B)/tests/perf/%,$(filter-out %.bpf.c,$(wildcard tests/perf/*.c))) \
	   $(B)/tests/perf/floor.bpf.o

# Where `make install` puts things; DESTDIR is a folder to put all of it in, for packages.
PREFIX	?= /usr/local
DESTDIR	?=
DOCS	:= $(PREFIX)/share/doc/hydraguard

.PHONY: all setup tests test demo bench fuzz clean format install uninstall
all: $(B)/hydraguard

$(B)/hydraguard: $(USER_OBJ) $(POL_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

$(B)/%.o: %.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(CFLAGS) -c $< -o $@

$(B)/san/%.o: %.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(SAN) -c $< -o $@

$(USER_OBJ) $(USER_SAN): | $(B)/hydraguard.skel.h

# The shipped policies, embedded.
$(B)/presets_gen.c: tools/embed-presets $(wildcard policy/presets/*.yaml)
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)tools/embed-presets $(filter %.yaml,$^) > $@.new && mv $@.new $@
$(B)/policy/presets_gen.o: $(B)/presets_gen.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(CFLAGS) -c $< -o $@
$(B)/san/policy/presets_gen.o: $(B)/presets_gen.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(SAN) -c $< -o $@

# The kernel side: one file for each subject, compiled as one, since libbpf 1.1 cannot link objects
# that call the kernel's own functions.
.SECONDARY: $(B)/hydraguard.bpf.c $(B)/hydraguard.bpf.o
$(B)/hydraguard.bpf.c: $(BPF_SRC)
	@mkdir -p $(@D)
	$(Q)printf '#include "../%s"\n' $^ > $@
$(B)/hydraguard.bpf.o: $(B)/hydraguard.bpf.c
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
$(B)/hydraguard.skel.h: $(B)/hydraguard.bpf.o
%.skel.h: %.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(notdir $*)_bpf > $@.new && mv $@.new $@

# Tests. Unit tests and fuzz replays run with sanitizers, programs for guests without.
$(UNIT): $(B)/tests/unit/%: tests/unit/%.c $(USER_SAN) $(SAN_OBJ)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(SAN) -o $@ $< $(USER_SAN) $(SAN_OBJ) $(LIBS) $(PEERS)
$(B)/tests/unit/test_dns_oracle: PEERS := -lresolv
$(B)/tests/unit/test_hello_real: PEERS := -lssl -lcrypto -lgnutls
$(FUZZ): $(B)/tests/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(SAN_OBJ)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(SAN) -o $@ $< tests/fuzz/replay.c $(SAN_OBJ) $(LIBS)
$(ACTS): $(B)/tests/acts/%: tests/acts/%.c
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(CFLAGS) -o $@ $< -lpthread
$(filter-out %.bpf.o,$(PERF)): $(B)/tests/perf/%: tests/perf/%.c $(POL_OBJ)
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(CFLAGS) -o $@ $< $(POL_OBJ) $(LIBS)
$(B)/tests/%.bpf.o: tests/%.bpf.c
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
$(KERNEL): $(B)/tests/kernel/%: tests/kernel/%.c $(POL_OBJ) | $(B)/tests/kernel/%.skel.h
	$(call say,TEST,$@)
	$(Q)$(CC) $(BASE) $(CFLAGS) -o $@ $< $(POL_OBJ) $(LIBS)

# Coverage-guided fuzzing, by hand: `make fuzz T=policy SECONDS=60`.
T	?= policy
SECONDS	?= 60
fuzz: $(B)/presets_gen.c
	$(Q)mkdir -p $(B)/fuzz/$(T)
	$(Q)$(CLANG) -std=gnu11 -D_GNU_SOURCE -I. -I$(B) -O1 -g -fsanitize=fuzzer,address,undefined \
		-o $(B)/fuzz/fuzz_$(T) tests/fuzz/fuzz_$(T).c $(POL_SRC) $(B)/presets_gen.c $(LIBS)
	$(Q)$(B)/fuzz/fuzz_$(T) -max_total_time=$(SECONDS) -max_len=8192 $(B)/fuzz/$(T) tests/fuzz/corpus/$(T)

setup:
	$(Q)tools/setup

tests: all $(UNIT) $(FUZZ) $(ACTS) $(KERNEL)

test: setup
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)tests/run

demo: setup
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tools/demo

bench: setup
	$(Q)$(MAKE) --no-print-directory all $(PERF)
	$(Q)tools/bench

# One program, which carries the kernel side and the shipped policies in it.
install: all
	$(call say,INSTALL,$(DESTDIR)$(PREFIX)/bin/hydraguard)
	$(Q)install -D -m 755 $(B)/hydraguard $(DESTDIR)$(PREFIX)/bin/hydraguard
	$(Q)install -D -m 644 -t $(DESTDIR)$(DOCS) README.md LICENSE
	$(Q)install -d -m 755 $(DESTDIR)/etc/hydraguard/policies

# Leaves /etc/hydraguard, which has files of the user's own. Take agents out first: `hydraguard unload`.
uninstall:
	$(Q)rm -f $(DESTDIR)$(PREFIX)/bin/hydraguard
	$(Q)rm -rf $(DESTDIR)$(DOCS)

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	$(Q)rm -rf $(B)

-include $(shell [ -d $(B) ] && find $(B) -name '*.d')
.SECONDARY:
.DELETE_ON_ERROR:
