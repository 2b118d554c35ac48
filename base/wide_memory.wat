;; Searches of wide_memory.ts, which has this in base64. A search reads whole blocks of 16 bytes.
(module
  (memory (export "memory") 4)
  (global $saved (mut i32) (i32.const 0))
  (global $flags (mut i32) (i32.const 0))
  ;; Where the first newline is between at and end, or -1.
  (func (export "newline") (param $at i32) (param $end i32) (result i32) (local $hits i32)
    (loop $next
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const -1))))
      (local.set $hits (i8x16.bitmask (i8x16.eq
        (v128.load align=1 (local.get $at)) (v128.const i8x16 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10))))
      (if (i32.eqz (local.get $hits)) (then
        (local.set $at (i32.add (local.get $at) (i32.const 16))) (br $next))))
    (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $hits))))
    (select (local.get $at) (i32.const -1) (i32.lt_u (local.get $at) (local.get $end))))
  ;; Where the JSON string ends that at is inside of, or -1. Afterwards saved() is how many bytes its escapes
  ;; are longer than what they say in UTF-8, and flags() has 1 for bytes above 127, 2 for what no string has.
  (func (export "quote") (param $at i32) (param $end i32) (result i32)
      (local $block v128) (local $hits i32) (local $saved i32) (local $flags i32)
      (local $byte i32) (local $unit i32) (local $last i32)
    (loop $next
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const -1))))
      (local.set $block (v128.load align=1 (local.get $at)))
      (local.set $hits (i8x16.bitmask (v128.or
        (i8x16.eq (local.get $block) (i8x16.splat (i32.const 34)))
        (i8x16.eq (local.get $block) (i8x16.splat (i32.const 92))))))
      (local.set $byte (if (result i32) (local.get $hits) (then (i32.ctz (local.get $hits))) (else (i32.const 16))))
      (local.set $at (i32.add (local.get $at) (local.get $byte)))
      ;; what is before the hit: control characters are wrong, bytes above 127 are told
      (local.set $byte (i32.sub (i32.shl (i32.const 1) (local.get $byte)) (i32.const 1)))
      (if (i32.and (local.get $byte) (i8x16.bitmask (local.get $block)))
        (then (local.set $flags (i32.or (local.get $flags) (i32.const 1)))))
      (if (i32.and (local.get $byte) (i8x16.bitmask (i8x16.lt_u (local.get $block) (i8x16.splat (i32.const 32)))))
        (then (local.set $flags (i32.or (local.get $flags) (i32.const 2)))))
      (br_if $next (i32.eqz (local.get $hits)))
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const -1))))
      (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 34)) (then
        (global.set $saved (local.get $saved))
        (global.set $flags (local.get $flags))
        (return (local.get $at))))
      (local.set $byte (i32.load8_u offset=1 (local.get $at)))
      (if (i32.ne (local.get $byte) (i32.const 117)) (then
        (if (i32.eqz (i32.or (i32.or
              (i32.or (i32.eq (local.get $byte) (i32.const 34)) (i32.eq (local.get $byte) (i32.const 47)))
              (i32.or (i32.eq (local.get $byte) (i32.const 92)) (i32.eq (local.get $byte) (i32.const 98))))
            (i32.or
              (i32.or (i32.eq (local.get $byte) (i32.const 102)) (i32.eq (local.get $byte) (i32.const 110)))
              (i32.or (i32.eq (local.get $byte) (i32.const 114)) (i32.eq (local.get $byte) (i32.const 116))))))
          (then (local.set $flags (i32.or (local.get $flags) (i32.const 2)))))
        (local.set $saved (i32.add (local.get $saved) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))
        (br $next)))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))
      (local.set $last (i32.add (local.get $at) (i32.const 4)))
      (local.set $unit (i32.const 0))
      (loop $digit
        (local.set $byte (i32.load8_u (local.get $at)))
        (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 48)) (i32.const 10))
          (then (local.set $byte (i32.sub (local.get $byte) (i32.const 48))))
          (else
            (local.set $byte (i32.sub (i32.or (local.get $byte) (i32.const 32)) (i32.const 87)))
            (if (i32.ge_u (i32.sub (local.get $byte) (i32.const 10)) (i32.const 6)) (then
              (local.set $flags (i32.or (local.get $flags) (i32.const 2)))
              (br $next)))))
        (local.set $unit (i32.or (i32.shl (local.get $unit) (i32.const 4)) (local.get $byte)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $digit (i32.lt_u (local.get $at) (local.get $last))))
      (local.set $saved (i32.add (local.get $saved)
        (if (result i32) (i32.lt_u (local.get $unit) (i32.const 128)) (then (i32.const 5)) (else
          (if (result i32) (i32.or (i32.lt_u (local.get $unit) (i32.const 2048))
              (i32.eq (i32.and (local.get $unit) (i32.const 63488)) (i32.const 55296)))
            (then (i32.const 4)) (else (i32.const 3)))))))
      (br $next))
    (unreachable))
  (func (export "saved") (result i32) (global.get $saved))
  (func (export "flags") (result i32) (global.get $flags)))
