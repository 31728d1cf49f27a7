/**
 * A kit's file and its passphrase, as a person hands them over.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import { PassphraseField } from "../design/passphrase-field.tsx";

interface Props {
  readonly setFile: (file: File | undefined) => void;
  readonly passphrase: string;
  readonly setPassphrase: (passphrase: string) => void;
}

export function KitField({ setFile, passphrase, setPassphrase }: Props) {
  const { t } = useTranslation();
  return (
    <div className="kit-form">
      <label className="field">
        {t("devices.kit.file")}
        <input
          className="field-input"
          type="file"
          accept=".kit"
          onChange={(event) => setFile(event.target.files?.[0])}
        />
      </label>
      <PassphraseField
        label={t("devices.kit.passphrase")}
        kind="kit"
        value={passphrase}
        onChange={setPassphrase}
      />
    </div>
  );
}

/** In base64, as the contract takes it. */
export async function readKit(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(""));
}
