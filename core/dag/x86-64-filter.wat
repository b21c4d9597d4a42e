;; The filter `x86-64` (see filter.ts) on the content that lies from 256 on. Sixteen bytes are looked at together: most
;; begin nothing. It is four to five times as quick as the same in JavaScript (measured: 1,500 MB/s on git, cc1, cmake).
(module
  ;; 256 bytes say which opcodes count; then the content, of which some bytes beyond the end may be read.
  (memory (export "memory") 2)

  ;; Opcodes with a ModRM byte that programs use with RIP-relative operands: add, sub, cmp, movsxd, test, mov, lea.
  (data (i32.const 0x03) "\01") (data (i32.const 0x2b) "\01") (data (i32.const 0x39) "\01")
  (data (i32.const 0x3b) "\01") (data (i32.const 0x63) "\01") (data (i32.const 0x85) "\01")
  (data (i32.const 0x89) "\01") (data (i32.const 0x8b) "\01") (data (i32.const 0x8d) "\01")

  ;; at: where to begin; end: where an instruction no longer fits; address: of what lies at 0; undo: 1 or 0.
  ;; Returns where it stopped: `end`, or beyond it by what the last instruction took.
  (func (export "filter") (param $at i32) (param $end i32) (param $address i32) (param $undo i32) (result i32)
    (local $bytes v128) (local $second v128) (local $found i32) (local $operand i32) (local $value i32) (local $next i32)
    (loop $scan
      (if (i32.ge_s (local.get $at) (local.get $end)) (then (return (local.get $at))))
      (local.set $bytes (v128.load (local.get $at)))
      (local.set $second (v128.load offset=2 (local.get $at)))
      (local.set $found (i8x16.bitmask (v128.or
        ;; call rel32 (e8) and jmp rel32 (e9)
        (i8x16.eq (v128.and (local.get $bytes) (i8x16.splat (i32.const 0xfe))) (i8x16.splat (i32.const 0xe8)))
        ;; a prefix with REX.W (48 to 4f), and two bytes later a ModRM with mod 0 and r/m 5: a displacement from RIP
        (v128.and
          (i8x16.eq (v128.and (local.get $bytes) (i8x16.splat (i32.const 0xf8))) (i8x16.splat (i32.const 0x48)))
          (i8x16.eq (v128.and (local.get $second) (i8x16.splat (i32.const 0xc7))) (i8x16.splat (i32.const 0x05)))))))
      (if (i32.eqz (local.get $found)) (then
        (local.set $next (i32.add (local.get $at) (i32.const 16)))
        (local.set $at (select (local.get $next) (local.get $end) (i32.lt_s (local.get $next) (local.get $end))))
        (br $scan)))
      (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $found))))
      (if (i32.ge_s (local.get $at) (local.get $end)) (then (return (local.get $end))))
      (if (i32.eq (i32.and (i32.load8_u (local.get $at)) (i32.const 0xfe)) (i32.const 0xe8))
        (then (local.set $operand (i32.add (local.get $at) (i32.const 1))))
        (else
          (local.set $operand (i32.add (local.get $at) (i32.const 3)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $scan (i32.eqz (i32.load8_u (i32.load8_u (local.get $at)))))))
      (local.set $value (i32.load (local.get $operand)))
      (if (local.get $undo) (then (local.set $value (call $reverse (local.get $value)))))
      ;; Within 16 MiB either way it is an address: it counts from the next instruction, and wraps within these 32 MiB.
      (if (i32.lt_u (i32.add (local.get $value) (i32.const 0x1000000)) (i32.const 0x2000000)) (then
        (local.set $next (i32.add (i32.add (local.get $address) (local.get $operand)) (i32.const 4)))
        (if (local.get $undo) (then (local.set $next (i32.sub (i32.const 0) (local.get $next)))))
        (local.set $value (i32.sub
          (i32.and (i32.add (i32.add (local.get $value) (local.get $next)) (i32.const 0x1000000)) (i32.const 0x1ffffff))
          (i32.const 0x1000000)))))
      (if (i32.eqz (local.get $undo)) (then (local.set $value (call $reverse (local.get $value)))))
      (i32.store (local.get $operand) (local.get $value))
      (local.set $at (i32.add (local.get $operand) (i32.const 4)))
      (br $scan))
    (unreachable))

  ;; Four bytes in the other order.
  (func $reverse (param $value i32) (result i32)
    (i32.or
      (i32.and (i32.rotl (local.get $value) (i32.const 8)) (i32.const 0x00ff00ff))
      (i32.and (i32.rotr (local.get $value) (i32.const 8)) (i32.const 0xff00ff00)))))
