;; The two passes of runtime/images/resample.ts with the vector instructions that every engine has had since 2021: four
;; sums at once. `node runtime/images/kernel/generate.mjs` assembles it into resample.generated.ts.
;;
;; Weights are fixed point with 22 bits after the point; a pixel has `stride` of them, of which `count` are in use. All
;; addresses are in bytes. Up to 16 bytes after the result are overwritten, and as many after the source are read.
(module
  (memory (export "memory") 1)

  ;; Across: rows of `pitch` bytes become rows of `width` pixels. `first` holds where the pixels begin in a row, in bytes.
  (func (export "across")
    (param $source i32) (param $pitch i32) (param $rows i32) (param $out i32) (param $width i32)
    (param $first i32) (param $count i32) (param $weights i32) (param $stride i32)
    (local $x i32) (local $pixel i32) (local $base i32) (local $weight i32) (local $end i32) (local $sums v128)
    (loop $row
      (local.set $x (i32.const 0))
      (local.set $base (local.get $weights))
      (loop $column
        (local.set $pixel (i32.add (local.get $source)
          (i32.load (i32.add (local.get $first) (local.get $x)))))
        (local.set $weight (local.get $base))
        (local.set $end (i32.add (local.get $base)
          (i32.shl (i32.load (i32.add (local.get $count) (local.get $x))) (i32.const 2))))
        (local.set $sums (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
        (loop $tap
          (local.set $sums (i32x4.add (local.get $sums)
            (i32x4.mul
              (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $pixel))))
              (v128.load32_splat (local.get $weight)))))
          (local.set $pixel (i32.add (local.get $pixel) (i32.const 3)))
          (br_if $tap (i32.lt_u
            (local.tee $weight (i32.add (local.get $weight) (i32.const 4)))
            (local.get $end))))
        (local.set $sums (i32x4.shr_s (local.get $sums) (i32.const 22)))
        (local.set $sums (i16x8.narrow_i32x4_s (local.get $sums) (local.get $sums)))
        (v128.store32_lane 0 (local.get $out) (i8x16.narrow_i16x8_u (local.get $sums) (local.get $sums)))
        (local.set $out (i32.add (local.get $out) (i32.const 3)))
        (local.set $base (i32.add (local.get $base) (i32.shl (local.get $stride) (i32.const 2))))
        (br_if $column (i32.lt_u
          (local.tee $x (i32.add (local.get $x) (i32.const 4)))
          (i32.shl (local.get $width) (i32.const 2)))))
      (local.set $source (i32.add (local.get $source) (local.get $pitch)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; Down: rows of `pitch` bytes become `rows` rows of as many bytes. `first` holds where each begins, in bytes.
  (func (export "down")
    (param $source i32) (param $pitch i32) (param $rows i32) (param $out i32)
    (param $first i32) (param $count i32) (param $weights i32) (param $stride i32)
    (local $x i32) (local $pixel i32) (local $weight i32) (local $end i32)
    (local $bytes v128) (local $half v128) (local $factor v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (loop $row
      (local.set $end (i32.add (local.get $weights) (i32.shl (i32.load (local.get $count)) (i32.const 2))))
      (local.set $x (i32.const 0))
      (loop $sixteen
        (local.set $pixel (i32.add (i32.add (local.get $source) (i32.load (local.get $first))) (local.get $x)))
        (local.set $weight (local.get $weights))
        (local.set $a (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
        (local.set $b (local.get $a))
        (local.set $c (local.get $a))
        (local.set $d (local.get $a))
        (loop $tap
          (local.set $bytes (v128.load (local.get $pixel)))
          (local.set $factor (v128.load32_splat (local.get $weight)))
          (local.set $half (i16x8.extend_low_i8x16_u (local.get $bytes)))
          (local.set $a (i32x4.add (local.get $a)
            (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $half)) (local.get $factor))))
          (local.set $b (i32x4.add (local.get $b)
            (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $half)) (local.get $factor))))
          (local.set $half (i16x8.extend_high_i8x16_u (local.get $bytes)))
          (local.set $c (i32x4.add (local.get $c)
            (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $half)) (local.get $factor))))
          (local.set $d (i32x4.add (local.get $d)
            (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $half)) (local.get $factor))))
          (local.set $pixel (i32.add (local.get $pixel) (local.get $pitch)))
          (br_if $tap (i32.lt_u
            (local.tee $weight (i32.add (local.get $weight) (i32.const 4)))
            (local.get $end))))
        (v128.store (i32.add (local.get $out) (local.get $x))
          (i8x16.narrow_i16x8_u
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (local.get $a) (i32.const 22)) (i32x4.shr_s (local.get $b) (i32.const 22)))
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (local.get $c) (i32.const 22)) (i32x4.shr_s (local.get $d) (i32.const 22)))))
        (br_if $sixteen (i32.lt_u
          (local.tee $x (i32.add (local.get $x) (i32.const 16)))
          (local.get $pitch))))
      (local.set $out (i32.add (local.get $out) (local.get $pitch)))
      (local.set $first (i32.add (local.get $first) (i32.const 4)))
      (local.set $count (i32.add (local.get $count) (i32.const 4)))
      (local.set $weights (i32.add (local.get $weights) (i32.shl (local.get $stride) (i32.const 2))))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))))
