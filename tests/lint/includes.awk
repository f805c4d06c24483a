# SPDX-License-Identifier: BSD-2-Clause
# Who may include what; with rules_common.awk, over the sources of src/ and lua-free-plugins/.
# A project header is named from src/ on: "net/loop.h".  DESIGN: layers.

BEGIN {
    may["base"] = " base "
    may["sandbox"] = " base sandbox "
    may["net"] = " base net "
    may["http"] = " base net http "
    may["store"] = " base net store "
    may["gateway"] = " base sandbox net http store gateway "
    may["app"] = " base sandbox net http store gateway app "

    # Of the domain, a store sees its port only.
    single["store"] = " sandbox/store.h "
    # The plugin header is the host's as well.
    single["gateway"] = " rouse/plugin.h "

    # Library headers: which layers may see them.  What is not listed is libc.
    library["event2/"] = " net "
    library["event.h"] = " "
    library["openssl/"] = " net gateway "
    library["ares"] = " net "
    library["llhttp"] = " http "
    library["nghttp2/"] = " http "
    library["hiredis"] = " store "
    library["jansson"] = " gateway app "
    library["yaml"] = " app "

    # The pure layers see neither sockets nor threads nor clocks.
    pure["sandbox"] = 1
    impure = "^(sys/(socket|epoll|select|time|timerfd|eventfd|un|wait|ioctl|uio)|netinet/.*" \
        "|arpa/.*|netdb|poll|pthread|threads|signal|time|unistd|fcntl|semaphore|dlfcn)[.]h$"
}

FNR == 1 {
    layer = name
    if (layer ~ /^src\//) {
        sub(/^src\//, "", layer)
        sub(/\/.*/, "", layer)
        plugin = 0
    } else {
        sub(/^lua-free-plugins\//, "", layer)
        sub(/\/.*/, "", layer)
        plugin = 1
    }
    if (!plugin && !(layer in may)) found(1, "layer", "no such layer: " layer)
}

{ code = $0 }

code !~ /^[ ]*#[ ]*include/ { next }

{
    target = code
    sub(/^[^"<]*["<]/, "", target)
    sub(/[">].*/, "", target)
    angle = code ~ /include[ ]*</
}

!angle && target == "config.h" { next }

!angle {
    dir = target
    sub(/\/[^\/]*$/, "", dir)
    if (target ~ /(^|\/)\.\.?\//) found(FNR, "include-path", target ": name it from src/ on")
    if (target ~ /_priv\.h$/ && dir != layer)
        found(FNR, "private", target " belongs to " dir "/ alone")
    if (plugin) {
        if (dir != layer && dir != "kit" && target != "rouse/plugin.h")
            found(FNR, "layer", "plugin " layer " includes " target)
    } else if (index(single[layer], " " target " ") == 0 && index(may[layer], " " dir " ") == 0)
        found(FNR, "layer", layer "/ may not include " target)
    next
}

{
    if (pure[layer] && !plugin && target ~ impure)
        found(FNR, "pure", layer "/ may not include <" target ">")
    for (prefix in library)
        if (index(target, prefix) == 1 && (plugin || index(library[prefix], " " layer " ") == 0))
            found(FNR, "library", layer "/ may not include <" target ">")
    if (target ~ /^rouse\// && !plugin && layer != "gateway")
        found(FNR, "layer", layer "/ may not include <" target ">")
}

END { exit findings > 0 }
