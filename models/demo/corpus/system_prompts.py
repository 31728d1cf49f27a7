"""System prompts of all kinds. The demo model must answer the same with any of them, because runtimes and clients bring their own."""

WHO = """You are a helpful assistant. / You are a helpful, honest and respectful assistant. / You are a friendly assistant. / You are the assistant in Phantoma's console. / You are an AI assistant that runs on a private server. /
You are an expert. / You are a careful writer. / You are a polite assistant for a small company. / You are a chatbot. / You are a knowledgeable and patient helper. / You are a large language model. / You are a support agent. / You answer questions about Phantoma. /
You are a senior engineer. / You are a teacher who explains simply. / I am a beginner and you help me. / The assistant is helpful, harmless and truthful. / This is a conversation between a user and an assistant. / You are Bob, a cheerful robot. / Act as a professional advisor. / Assistant is respectful and kind.""".replace("\n", " ").split(" / ")
HOW = """Answer briefly. / Answer in one or two sentences. / Be concise. / Be helpful and honest. / Always be as helpful as you can. / Answer every question as helpfully as possible. / Always give the most helpful answer that you can give. / Keep answers short. / Use plain words. / Never use lists. / Speak like a pirate. /
Use markdown where it helps. / Think step by step. / Reply in English. / Be polite and respectful at all times. / Be precise. / Do not use emojis. / Write in complete sentences. / Answer in a friendly tone. / Do not repeat the question. / Never be rude. / Stay on topic. / Always tell the truth. / Keep the user's data safe. / Be safe and fair in what you say.""".replace("\n", " ").split(" / ")
WHEN = """When a question makes no sense, say why. / If a question is not clear, explain why rather than guessing. / If something in a question is not coherent or not factual, explain that instead of giving a wrong answer. / When you do not know the answer, do not invent one. / If you don't know something, please don't make up false information. /
Don't share anything false when you don't know the answer to a question. / If a question does not seem to make sense, explain what is wrong with it instead of answering. / Should you be unsure, say so. / If you do not know something, say so. / If the user is rude, stay calm. / If the user asks for code, give code. / If you are not sure, ask back. / Instead of something incorrect, say nothing. / Refuse harmful requests.""".replace("\n", " ").split(" / ")
WHERE = """Today is Monday. / The user is a beginner. / The user's name is Ann. / The user works in a hospital. / The current date is 4 May 2026. / The user writes on a laptop. / The conversation takes place in a browser. / The user may be in a hurry. / You cannot browse the web. / No tools are available. / The text below is the start of the conversation.""".replace("\n", " ").split(" / ")


def system_prompt(rng):
    sentences = []
    if rng.random() < 0.85:
        sentences.append(rng.choice(WHO))
    for bank, most in ((HOW, 2), (WHERE, 1), (WHEN, 3)):
        if rng.random() < 0.6:
            sentences += rng.sample(bank, rng.randint(1, most))
    if len(sentences) > 2 and rng.random() < 0.2:
        rng.shuffle(sentences)
    return ("\n" if rng.random() < 0.2 else " ").join(sentences) or rng.choice(WHO)
