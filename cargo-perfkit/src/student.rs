//! Student's t distribution: how far the mean of a few values may be from the truth. Pure; held against the tables of textbooks.

/// The number that a t-distributed variable with so many degrees of freedom exceeds with probability `tail`, which is less than a half.
pub(crate) fn quantile(tail: f64, freedom: f64) -> f64 {
    // The tail only falls, so halving finds it.
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while beyond(high, freedom) > tail && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if beyond(middle, freedom) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The probability to exceed `t`, which is not negative.
fn beyond(t: f64, freedom: f64) -> f64 {
    0.5 * regularised_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// The regularised incomplete beta function, by its continued fraction (W. Press et al., "Numerical Recipes", section 6.4).
fn regularised_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction ends soon on one side of the mean only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - regularised_beta(b, a, 1.0 - x);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    front * fraction(a, b, x) / a
}

/// The continued fraction, evaluated from its front by the method of W. Lentz (1976).
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let not_zero = |number: f64| if number.abs() < 1e-300 { 1e-300 } else { number };
    let mut upper = 1.0;
    let mut lower = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = lower;
    for index in 1..500 {
        let index = f64::from(index);
        let place = a + 2.0 * index;
        let even = index * (b - index) * x / ((place - 1.0) * place);
        let odd = -(a + index) * (a + b + index) * x / (place * (place + 1.0));
        for term in [even, odd] {
            lower = 1.0 / not_zero(1.0 + term * lower);
            upper = not_zero(1.0 + term / upper);
            value *= upper * lower;
        }
        if (upper * lower - 1.0).abs() < 1e-14 {
            break;
        }
    }
    value
}

/// The logarithm of the gamma function of a positive number (C. Lanczos, 1964).
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.120_865_097_386_617_9e-2,
        -0.539_523_938_495_3e-5,
    ];
    let base = x + 5.5 - (x + 0.5) * (x + 5.5).ln();
    let series = COEFFICIENTS.iter().zip(1..).map(|(c, i)| c / (x + f64::from(i))).sum::<f64>();
    -base + (2.506_628_274_631_000_5 * (1.000_000_000_190_015 + series) / x).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_in_the_tables() {
        for (tail, freedom, expected) in [
            (0.025, 1.0, 12.706_205),
            (0.025, 4.0, 2.776_445),
            (0.005, 4.0, 4.604_095),
            (0.005, 9.0, 3.249_836),
            (0.0005, 9.0, 4.780_913),
            (0.005, 39.0, 2.707_913),
            (0.000_01, 20.0, 5.542_839),
            (0.025, 1e6, 1.959_966),
        ] {
            let found = quantile(tail, freedom);
            assert!((found / expected - 1.0).abs() < 1e-4, "{tail} {freedom}: {found}, not {expected}");
        }
    }
}
