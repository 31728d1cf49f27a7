/*
 * The parts of a training pass that are no matrix products, each in one go over its numbers.
 *
 * PyTorch does the matrix products; these loops between them would cost it four times as long, an operation and a copy at a time.
 * Built by passes.py: NUMBER_IS_FLOAT for processors without bfloat16. Every loop is plain C that the compiler turns into vector instructions.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef NUMBER_IS_FLOAT
typedef float number;
static inline float get(number value) { return value; }
static inline number put(float value) { return value; }
#else
typedef uint16_t number; /* bfloat16: the upper half of a float */
static inline float get(number value)
{
	uint32_t bits = (uint32_t)value << 16;
	float out;
	memcpy(&out, &bits, sizeof out);
	return out;
}
static inline number put(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16; /* to the nearest, ties to even */
}
#endif

/* e to the power of x within 2e-7 of its value for x in [-87, 87]; unlike expf it can be vectorised. */
static inline float power_of_e(float x)
{
	x = x < -87.0f ? -87.0f : x > 87.0f ? 87.0f : x;
	float scaled = x * 1.44269504f, whole = rintf(scaled);
	float rest = (scaled - whole) * 0.69314718f;
	float series = 1 + rest * (1 + rest * (0.5f + rest * (0.16666667f + rest * (0.041666667f + rest * (0.0083333333f + rest * 0.0013888889f)))));
	int32_t bits = ((int32_t)whole + 127) << 23;
	float power;
	memcpy(&power, &bits, sizeof power);
	return series * power;
}

/* x += added (if there is one); out = x divided by its root mean square, whose inverse goes to `inverse`. */
void add_and_norm(float *x, const number *added, number *out, float *inverse, long tokens, long width, float epsilon)
{
	for (long t = 0; t < tokens; t++, x += width, out += width) {
		float sum = 0;
		if (added) {
			for (long i = 0; i < width; i++)
				x[i] += get(added[i]);
			added += width;
		}
		for (long i = 0; i < width; i++)
			sum += x[i] * x[i];
		float scale = 1 / sqrtf(sum / width + epsilon);
		for (long i = 0; i < width; i++)
			out[i] = put(x[i] * scale);
		inverse[t] = scale;
	}
}

/* dx += the gradient through the norm, given its output and the gradient of that; rounded = dx for the next product. */
void norm_back(float *dx, number *rounded, const number *dout, const number *out, const float *inverse, long tokens, long width)
{
	for (long t = 0; t < tokens; t++, dx += width, rounded += width, dout += width, out += width) {
		float dot = 0;
		for (long i = 0; i < width; i++)
			dot += get(dout[i]) * get(out[i]);
		dot /= width;
		for (long i = 0; i < width; i++) {
			dx[i] += inverse[t] * (get(dout[i]) - get(out[i]) * dot);
			rounded[i] = put(dx[i]);
		}
	}
}

/* [batch, length, 3, heads, size] to three times [batch, heads, length, size]; q and k are turned by their position. */
void split_heads(const number *qkv, number *q, number *k, number *v, const float *cosine, const float *sine, long batch, long length, long heads, long size)
{
	for (long b = 0; b < batch; b++)
		for (long l = 0; l < length; l++)
			for (long h = 0; h < heads; h++) {
				const number *from = qkv + ((b * length + l) * 3 * heads + h) * size;
				long to = ((b * heads + h) * length + l) * size;
				const float *c = cosine + l * size / 2, *s = sine + l * size / 2;
				for (long i = 0; i < size / 2; i++) {
					float even = get(from[2 * i]), odd = get(from[2 * i + 1]);
					q[to + 2 * i] = put(even * c[i] - odd * s[i]);
					q[to + 2 * i + 1] = put(even * s[i] + odd * c[i]);
				}
				from += heads * size;
				for (long i = 0; i < size / 2; i++) {
					float even = get(from[2 * i]), odd = get(from[2 * i + 1]);
					k[to + 2 * i] = put(even * c[i] - odd * s[i]);
					k[to + 2 * i + 1] = put(even * s[i] + odd * c[i]);
				}
				memcpy(v + to, from + heads * size, size * sizeof(number));
			}
}

/* The way back: turns q and k by the opposite angle. */
void split_heads_back(number *dqkv, const number *dq, const number *dk, const number *dv, const float *cosine, const float *sine, long batch, long length, long heads, long size)
{
	for (long b = 0; b < batch; b++)
		for (long l = 0; l < length; l++)
			for (long h = 0; h < heads; h++) {
				number *to = dqkv + ((b * length + l) * 3 * heads + h) * size;
				long from = ((b * heads + h) * length + l) * size;
				const float *c = cosine + l * size / 2, *s = sine + l * size / 2;
				for (long i = 0; i < size / 2; i++) {
					float even = get(dq[from + 2 * i]), odd = get(dq[from + 2 * i + 1]);
					to[2 * i] = put(even * c[i] + odd * s[i]);
					to[2 * i + 1] = put(odd * c[i] - even * s[i]);
				}
				to += heads * size;
				for (long i = 0; i < size / 2; i++) {
					float even = get(dk[from + 2 * i]), odd = get(dk[from + 2 * i + 1]);
					to[2 * i] = put(even * c[i] + odd * s[i]);
					to[2 * i + 1] = put(odd * c[i] - even * s[i]);
				}
				memcpy(to + heads * size, dv + from, size * sizeof(number));
			}
}

/* [batch, a, b, size] to [batch, b, a, size]: heads before positions, or the other way round. */
void swap_axes(const number *from, number *to, long batch, long a, long b, long size)
{
	for (long n = 0; n < batch; n++)
		for (long i = 0; i < a; i++)
			for (long j = 0; j < b; j++)
				memcpy(to + ((n * b + j) * a + i) * size, from + ((n * a + i) * b + j) * size, size * sizeof(number));
}

/* In place: each row of scores becomes the shares of attention among the positions up to its own. */
void attend(number *scores, long matrices, long length, float scale)
{
	float row[4096];
	for (long m = 0; m < matrices; m++)
		for (long l = 0; l < length; l++, scores += length) {
			float most = -INFINITY, sum = 0;
			for (long i = 0; i <= l; i++) {
				row[i] = get(scores[i]) * scale;
				most = row[i] > most ? row[i] : most;
			}
			for (long i = 0; i <= l; i++) {
				row[i] = power_of_e(row[i] - most);
				sum += row[i];
			}
			for (long i = 0; i <= l; i++)
				scores[i] = put(row[i] / sum);
			for (long i = l + 1; i < length; i++)
				scores[i] = 0;
		}
}

/* In place: the gradient of the shares becomes the gradient of the scores. */
void attend_back(number *gradient, const number *shares, long matrices, long length, float scale)
{
	for (long m = 0; m < matrices; m++)
		for (long l = 0; l < length; l++, gradient += length, shares += length) {
			float dot = 0;
			for (long i = 0; i <= l; i++)
				dot += get(gradient[i]) * get(shares[i]);
			for (long i = 0; i <= l; i++)
				gradient[i] = put(get(shares[i]) * (get(gradient[i]) - dot) * scale);
			for (long i = l + 1; i < length; i++)
				gradient[i] = 0;
		}
}

/* Each row of `both` is a gate and a value: out = gate / (1 + e^-gate) * value. */
void gated(const number *both, number *out, long tokens, long width)
{
	for (long t = 0; t < tokens; t++, both += 2 * width, out += width)
		for (long i = 0; i < width; i++) {
			float gate = get(both[i]);
			out[i] = put(gate / (1 + power_of_e(-gate)) * get(both[width + i]));
		}
}

/* In place: `both` becomes its gradient. */
void gated_back(number *both, const number *dout, long tokens, long width)
{
	for (long t = 0; t < tokens; t++, both += 2 * width, dout += width)
		for (long i = 0; i < width; i++) {
			float gate = get(both[i]), value = get(both[width + i]), d = get(dout[i]);
			float open = 1 / (1 + power_of_e(-gate));
			both[i] = put(d * value * open * (1 + gate * (1 - open)));
			both[width + i] = put(d * gate * open);
		}
}

/* In place: the scores of each row become the gradient of weight * -log(share of the wanted token); the plain loss goes to `losses`. */
void cross_entropy(number *scores, const int64_t *wanted, const float *weights, float *losses, long rows, long vocabulary)
{
	for (long r = 0; r < rows; r++, scores += vocabulary) {
		float most = -INFINITY, sum = 0;
		for (long i = 0; i < vocabulary; i++) {
			float score = get(scores[i]);
			most = score > most ? score : most;
		}
		for (long i = 0; i < vocabulary; i++)
			sum += power_of_e(get(scores[i]) - most);
		float right = get(scores[wanted[r]]) - most;
		losses[r] = logf(sum) - right;
		float factor = weights[r] / sum;
		for (long i = 0; i < vocabulary; i++)
			scores[i] = put(power_of_e(get(scores[i]) - most) * factor);
		scores[wanted[r]] = put(power_of_e(right) * factor - weights[r]);
	}
}

/* gradient[ids[t]] += dx[t] */
void add_rows(float *gradient, const int64_t *ids, const float *dx, long tokens, long width)
{
	for (long t = 0; t < tokens; t++)
		for (long i = 0; i < width; i++)
			gradient[ids[t] * width + i] += dx[t * width + i];
}
