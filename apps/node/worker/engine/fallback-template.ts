/**
 * A chat template for a model whose file has none that works: the one whose control tokens it knows, or plain text.
 *
 * @module
 */
import type { Tokenizer } from "./tokenizer.ts";

export function fallbackTemplate(tokenizer: Tokenizer): string {
  const known = TEMPLATES.find(({ controlToken }) => {
    const [token, ...more] = tokenizer.tokens(controlToken, "template", true);
    return token !== undefined && more.length === 0 && tokenizer.isControl(token);
  });
  return known?.template ?? PLAIN_TEMPLATE;
}

const TEMPLATES: readonly { readonly controlToken: string; readonly template: string }[] = [
  {
    controlToken: "<|im_start|>",
    template:
      "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}" +
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
  },
  {
    controlToken: "<|start_header_id|>",
    template:
      "{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] + '<|eot_id|>' }}" +
      "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
  },
  {
    controlToken: "<start_of_turn>",
    template:
      "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" +
      "{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else 'user') + '\n' + m['content'] + '<end_of_turn>\n' }}" +
      "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}",
  },
];

/** Its turns end with a line that the engine takes as a stop string. */
const PLAIN_TEMPLATE =
  "{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] + '\n\n' }}" +
  "{% elif m['role'] == 'user' %}{{ '### Human\n' + m['content'] + '\n\n### Assistant\n' }}" +
  "{% else %}{{ m['content'] + '\n\n' }}{% endif %}{% endfor %}";
